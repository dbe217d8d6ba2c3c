// One stream a tab: the clinical clock, what changed, and whether we are still being told.
// @ts-check
import { clockText, setText } from "./format.js";

const SILENT_MS = 4200; // without a word (a heartbeat comes every 2 s): not live any more
const RETRY_MS = [500, 1000, 2000, 5000];

/**
 * @typedef {{snapshot?: (frame: any) => void, delta?: (frame: any) => void, alerts?: (alerts: any[]) => void, tick?: (nowUs: number) => void}} Handlers
 */

/** Follow the ward (or one patient); calls the handlers and keeps the page's clock, pill and banner. */
export class Stream {
  /** @param {string} patient @param {Handlers} handlers */
  constructor(patient, handlers) {
    this.handlers = handlers;
    this.url = "/api/v1/stream" + (patient ? `?patient=${encodeURIComponent(patient)}` : "");
    this.heardAt = performance.now();
    this.nowUs = 0;
    this.speed = 1;
    this.attempt = 0;
    this.lost = false;
    this.pill = /** @type {HTMLElement} */ (document.getElementById("connection"));
    this.banner = /** @type {HTMLElement} */ (document.getElementById("lost"));
    this.clock = /** @type {HTMLElement} */ (document.getElementById("clock"));
    this.zone = this.clock?.dataset.zone ?? "UTC";
    this.open();
    setInterval(() => this.tick(), 500);
    addEventListener("pagehide", () => this.source?.close());
    addEventListener("pageshow", (event) => { if (event.persisted) this.open(); });
  }

  /** The clinical clock, carried on between frames. */
  now() {
    return this.nowUs + (performance.now() - this.heardAt) * 1000 * this.speed;
  }

  open() {
    this.source?.close();
    const source = new EventSource(this.url);
    this.source = source;
    for (const kind of ["snapshot", "delta", "alerts", "heartbeat"]) {
      source.addEventListener(kind, (event) => this.frame(kind, JSON.parse(/** @type {MessageEvent} */ (event).data)));
    }
    source.addEventListener("end", () => location.assign(`/login?to=${encodeURIComponent(location.pathname)}`));
    source.addEventListener("error", () => {
      // The browser tries again by itself, unless the server answered with an error: then we do.
      if (source.readyState === EventSource.CLOSED && source === this.source) {
        const wait = RETRY_MS[Math.min(this.attempt++, RETRY_MS.length - 1)];
        setTimeout(() => this.open(), wait);
      }
    });
  }

  /** @param {string} kind @param {any} frame */
  frame(kind, frame) {
    this.heardAt = performance.now();
    this.nowUs = frame.now_us;
    this.speed = frame.speed;
    this.attempt = 0;
    if (kind === "snapshot") {
      this.handlers.snapshot?.(frame);
      this.handlers.alerts?.(frame.alerts);
    } else if (kind === "delta") this.handlers.delta?.(frame);
    else if (kind === "alerts") this.handlers.alerts?.(frame.alerts);
    if (this.lost || this.pill.dataset.state !== "live") this.show(false);
  }

  /** @param {boolean} lost */
  show(lost) {
    this.lost = lost;
    document.documentElement.dataset.connection = lost ? "lost" : "live";
    this.pill.dataset.state = lost ? "lost" : "live";
    setText(this.pill, lost ? "connection lost" : "live");
    this.banner.hidden = !lost;
    setText(this.banner, lost ? `Connection lost at ${clockText(this.nowUs, this.zone, { seconds: true })}. Nothing here is live; look at the bedside monitor. Trying to reconnect.` : "");
  }

  tick() {
    if (!this.lost && performance.now() - this.heardAt > SILENT_MS) this.show(true);
    if (!this.nowUs) return;
    const now = this.now();
    if (this.clock) setText(this.clock, clockText(now, this.zone, { seconds: true }));
    this.handlers.tick?.(now);
  }
}
