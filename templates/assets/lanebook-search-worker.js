/* The theme's search worker, and one defect of its index mended.

   lunr 2.3 shares equal ends of words between them. It tells ends apart by a string of letters and
   node numbers with nothing in between (github.com/olivernn/lunr.js/issues/503), so that the digits
   of hashes read as node numbers, unequal ends pass for equal, and words are lost. */
(function () {
  "use strict";
  // in a worker of its own, which is named after the script that it stands for
  if (typeof importScripts === "function") importScripts(self.name);

  self.lunr.TokenSet.prototype.toString = function () {
    if (!this._str) {
      const edges = Object.keys(this.edges).sort();
      this._str = edges.reduce(
        (told, letter) => told + letter + this.edges[letter].id + ",",
        this.final ? "1" : "0",
      );
    }
    return this._str;
  };
})();
