/* Workers do not start from file://, so the theme's search would be dead on disk. There, and only
   there, Worker becomes a hidden frame of the same page that runs the same script. */
(function () {
  "use strict";
  if (location.protocol !== "file:") return;

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

      const script = this.frame.contentDocument.createElement("script");
      script.src = new URL(url, location.href).href;
      script.onload = () => {
        const waiting = this.waiting;
        this.waiting = null;
        waiting.forEach((data) => this.deliver(data));
      };
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
