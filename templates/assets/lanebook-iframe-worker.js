/* Runs before the theme, so that the theme's search worker is started in a way that works.

   Served, that is a worker which mends the theme's index (see lanebook-search-worker.js). Workers do
   not start from file://, so on disk it is a hidden frame of the same page that runs the same two
   scripts. */
(function () {
  "use strict";
  const mend = new URL("lanebook-search-worker.js", document.currentScript.src).href;

  if (location.protocol !== "file:") {
    const Plain = window.Worker;
    window.Worker = class extends Plain {
      constructor(url, options) {
        const whole = new URL(url, location.href).href;
        if (/\/workers\/search\.[^/]*$/.test(whole)) super(mend, { ...options, name: whole });
        else super(url, options);
      }
    };
    return;
  }

  class FrameWorker extends EventTarget {
    constructor(url) {
      super();
      this.onmessage = null;
      this.onmessageerror = null;
      this.onerror = null;
      this.waiting = [];

      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      this.frame.title = "Search worker";
      document.body.append(this.frame);

      // Set before the script runs: in a window, postMessage would go to the window itself.
      this.inside = this.frame.contentWindow;
      this.inside.postMessage = (data) => {
        const copy = structuredClone(data);
        setTimeout(() => this.emit("message", new MessageEvent("message", { data: copy })));
      };

      this.load(new URL(url, location.href).href, () =>
        this.load(mend, () => {
          const waiting = this.waiting;
          this.waiting = null;
          waiting.forEach((data) => this.deliver(data));
        }),
      );
    }

    load(url, then) {
      const script = this.frame.contentDocument.createElement("script");
      script.src = url;
      script.onload = then;
      script.onerror = () => this.emit("error", new Event("error", { cancelable: true }));
      this.frame.contentDocument.body.append(script);
    }

    emit(kind, event) {
      if (!this.frame) return;
      this.dispatchEvent(event);
      const handler = this["on" + kind];
      if (typeof handler === "function") handler.call(this, event);
    }

    deliver(data) {
      const inside = this.inside;
      setTimeout(() => {
        if (this.frame) inside.dispatchEvent(new inside.MessageEvent("message", { data }));
      });
    }

    postMessage(data) {
      if (!this.frame) return;
      // The frame's own structuredClone, so that the copy is made of the frame's own types.
      const copy = this.inside.structuredClone(data);
      if (this.waiting) this.waiting.push(copy);
      else this.deliver(copy);
    }

    terminate() {
      if (this.frame) this.frame.remove();
      this.frame = null;
    }
  }

  window.Worker = FrameWorker;
})();
