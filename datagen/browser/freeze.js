// Runs before any script of the page: the clock stands, chance repeats, and nothing moves once `__diptychStop` was called.
(() => {
  const now = Date.UTC(2025, 4, 14, 10, 24, 0);
  const RealDate = Date;
  const FixedDate = function (...parts) {
    if (!new.target) return new RealDate(now).toString();
    return Reflect.construct(RealDate, parts.length ? parts : [now], new.target);
  };
  Object.setPrototypeOf(FixedDate, RealDate);
  FixedDate.prototype = RealDate.prototype;
  FixedDate.prototype.constructor = FixedDate;
  FixedDate.now = () => now;
  FixedDate.UTC = RealDate.UTC;
  FixedDate.parse = RealDate.parse;
  globalThis.Date = FixedDate;

  // mulberry32
  let state = 0x9e3779b9;
  Math.random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  if (globalThis.crypto && crypto.getRandomValues) {
    crypto.getRandomValues = (array) => {
      const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
      for (let i = 0; i < bytes.length; i++) bytes[i] = Math.floor(Math.random() * 256);
      return array;
    };
  }

  let stopped = false;
  const guarded = (schedule) => (callback, ...rest) =>
    typeof callback === 'function'
      ? schedule((...given) => { if (!stopped) callback(...given); }, ...rest)
      : schedule(callback, ...rest);
  const realTimeout = globalThis.setTimeout.bind(globalThis);
  const realFrame = globalThis.requestAnimationFrame.bind(globalThis);
  globalThis.setTimeout = guarded(realTimeout);
  globalThis.setInterval = guarded(globalThis.setInterval.bind(globalThis));
  globalThis.requestAnimationFrame = guarded(realFrame);

  const style = 'html { caret-color: transparent !important; scroll-behavior: auto !important; }';
  const twoFrames = () => new Promise((done) => realFrame(() => realFrame(() => done())));
  Object.defineProperty(globalThis, '__diptychStop', { value: async () => {
    stopped = true;
    const sheet = document.createElement('style');
    sheet.textContent = style;
    document.head?.append(sheet);
    // An animation that ends is shown at its end, one that repeats at its start, as print and screenshots show them.
    for (const animation of document.getAnimations()) {
      const end = animation.effect?.getComputedTiming().endTime;
      try { Number.isFinite(end) ? animation.finish() : animation.cancel(); } catch { animation.cancel(); }
    }
    await twoFrames();
  }});
  Object.defineProperty(globalThis, '__diptychFrames', { value: twoFrames });
  Object.defineProperty(globalThis, '__diptychWait', { value: (ms) => new Promise((done) => realTimeout(done, ms)) });
})();
