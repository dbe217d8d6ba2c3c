# One thin target a script; the scripts hold what is done. Arguments: make ward ARGS="--port 9000"
.PHONY: setup ward test test-long lint format bench lock build screenshots
setup ward test test-long lint format bench lock build screenshots:
	@./scripts/$@ $(ARGS)
