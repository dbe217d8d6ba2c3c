"""What moved a risk: attributions that add up, and tests of them."""
