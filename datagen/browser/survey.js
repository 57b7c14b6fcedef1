// Lists what a page shows, in the order in which it is painted. Runs in the page; `photos` are the photographs' URLs.
//
// An item is {kind, box: [x, y, width, height], seen, radius: [4], clips: [[x, y, w, h, 4 radii]], region, letters}, in CSS pixels.
// kind: photo    a photograph, fully there
//       unknown  a picture that may be a photograph
//       blended  a photograph that something shines through, or that a filter changes
//       cover    drawn, and hides what is behind it
//       veil     drawn, and lets some of it shine through
//       text     lines of text, icons, drawings
//       object   nothing by itself; only a region
({ photos, unknown }) => {
  const isPhoto = new Set(photos), isUnknown = new Set(unknown);
  const items = [];
  const width = innerWidth, height = innerHeight;
  let count = 0;
  // Where the document that is being looked at begins: a frame's boxes are measured from the frame's corner.
  let originX = 0, originY = 0;

  const compare = (a, b) => {
    for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i] - b[i];
    return a.length - b.length;
  };
  const radii = (style, box) => {
    const limit = Math.min(box.width, box.height) / 2;
    return ['TopLeft', 'TopRight', 'BottomRight', 'BottomLeft'].map((corner) => {
      const text = style[`border${corner}Radius`].split(' ')[0];
      const value = text.endsWith('%') ? (parseFloat(text) / 100) * Math.min(box.width, box.height) : parseFloat(text);
      return Math.min(value || 0, limit);
    });
  };
  const alpha = (colour) => {
    if (colour === 'transparent') return 0;
    const parts = colour.match(/[\d.]+/g) || [];
    return parts.length > 3 ? parseFloat(parts[3]) : 1;
  };
  const urls = (value) => [...value.matchAll(/url\("?([^")]*)"?\)/g)].map((match) => match[1]);
  const turned = (style) => {
    const match = style.transform.match(/^matrix\(([^)]*)\)/);
    if (!match) return style.transform.startsWith('matrix3d');
    const [, b, c] = match[1].split(',').map(Number);
    return Math.abs(b) > 1e-6 || Math.abs(c) > 1e-6;
  };

  const fitted = (element, style, box) => {
    const natural = element.tagName === 'VIDEO'
      ? [element.videoWidth, element.videoHeight] : [element.naturalWidth, element.naturalHeight];
    const edge = (side) => (parseFloat(style[`padding${side}`]) || 0) + (parseFloat(style[`border${side}Width`]) || 0);
    const inner = { x: box.x + edge('Left'), y: box.y + edge('Top'),
      width: box.width - edge('Left') - edge('Right'), height: box.height - edge('Top') - edge('Bottom') };
    const fit = style.objectFit;
    if (!natural[0] || !natural[1] || fit === 'fill' || fit === 'cover') return inner;
    let factor = Math.min(inner.width / natural[0], inner.height / natural[1]);
    if (fit === 'none') factor = 1;
    if (fit === 'scale-down') factor = Math.min(1, factor);
    const w = natural[0] * factor, h = natural[1] * factor;
    const place = style.objectPosition.split(' ').map((part) => (part.endsWith('%') ? parseFloat(part) / 100 : 0.5));
    const shown = { x: inner.x + (inner.width - w) * place[0], y: inner.y + (inner.height - h) * place[1], width: w, height: h };
    const right = Math.min(shown.x + w, inner.x + inner.width), bottom = Math.min(shown.y + h, inner.y + inner.height);
    const x = Math.max(shown.x, inner.x), y = Math.max(shown.y, inner.y);
    return { x, y, width: right - x, height: bottom - y };
  };

  const add = (key, kind, inner, state, { radius = [0, 0, 0, 0], region = false, letters = 0 } = {}) => {
    const box = { x: inner.x + originX, y: inner.y + originY, width: inner.width, height: inner.height };
    let left = Math.max(box.x, state.clip[0], 0), top = Math.max(box.y, state.clip[1], 0);
    let right = Math.min(box.x + box.width, state.clip[2], width), bottom = Math.min(box.y + box.height, state.clip[3], height);
    if (right - left < 0.5 || bottom - top < 0.5) return;
    items.push({ key, kind, box: [box.x, box.y, box.width, box.height], seen: [left, top, right - left, bottom - top], radius,
      clips: state.rounded, region, letters });
  };

  const lines = (element) => {
    const found = [];
    const range = element.ownerDocument.createRange();
    for (const node of element.childNodes) {
      if (node.nodeType !== 3 || !node.data.trim()) continue;
      range.selectNodeContents(node);
      for (const box of range.getClientRects()) if (box.width > 0.5 && box.height > 0.5) found.push(box);
    }
    return found;
  };
  const ownText = (element) => [...element.childNodes].reduce((sum, node) => sum + (node.nodeType === 3 ? node.data.trim().length : 0), 0);
  const around = (boxes) => {
    const x = Math.min(...boxes.map((box) => box.left)), y = Math.min(...boxes.map((box) => box.top));
    return { x, y, width: Math.max(...boxes.map((box) => box.right)) - x, height: Math.max(...boxes.map((box) => box.bottom)) - y };
  };

  const background = (element, style, box, key, state) => {
    const image = style.backgroundImage;
    const radius = radii(style, box);
    const solid = alpha(style.backgroundColor);
    const border = parseFloat(style.borderTopWidth) > 0 && alpha(style.borderTopColor) > 0;
    const isCard = (solid > 0.02 || image !== 'none' || border || style.boxShadow !== 'none')
      && box.width * box.height < 0.6 * width * height && Math.min(box.width, box.height) >= 8;
    const region = isCard && !state.inControl;
    const whole = solid * state.opacity > 0.995 && style.backgroundClip !== 'text';
    if (solid > 0.004 || style.backdropFilter && style.backdropFilter !== 'none') {
      add(key, whole ? 'cover' : 'veil', box, state, { radius, region });
    } else if (region) add(key, 'object', box, state, { radius, region });
    if (image === 'none' || style.backgroundClip === 'text') return;
    const shown = urls(image);
    if (shown.some((url) => isUnknown.has(url))) { add(key, 'unknown', box, state, { radius }); return; }
    const drawn = image.includes('gradient(') || shown.some((url) => !isPhoto.has(url));
    if (!shown.some((url) => isPhoto.has(url))) {
      const see = !image.includes('gradient(') || /rgba\(|transparent|\/ 0?\./.test(image) || state.opacity < 0.995;
      add(key, see ? 'veil' : 'cover', box, state, { radius });
      return;
    }
    const sized = style.backgroundSize === 'cover' || style.backgroundRepeat === 'repeat' || style.backgroundSize.startsWith('100%');
    add(key, drawn || !sized || state.mixed ? 'blended' : 'photo', box, state, { radius, region: !isCard });
  };

  const replaced = (element, style, box, key, state) => {
    const tag = element.tagName;
    const control = state.inControl;
    if (tag === 'IMG' || tag === 'VIDEO' || tag === 'image') {
      const address = tag === 'IMG' ? element.currentSrc : tag === 'VIDEO' ? null : element.href.baseVal;
      const known = tag === 'VIDEO' || isPhoto.has(address) || isPhoto.has(new URL(address || '', document.baseURI).href);
      const area = tag === 'image' ? box : fitted(element, style, box);
      const doubtful = isUnknown.has(address) || (address || '').startsWith('blob:');
      const kind = known ? (state.mixed ? 'blended' : 'photo') : doubtful ? 'unknown' : 'text';
      add(key, kind, area, state, { radius: radii(style, box), region: !control && Math.min(area.width, area.height) >= 12 });
    } else if (tag === 'svg' || tag === 'CANVAS' || tag === 'IFRAME' || tag === 'OBJECT' || tag === 'EMBED') {
      const large = Math.min(box.width, box.height) >= 14;
      const kind = tag === 'svg' || tag === 'CANVAS' ? 'text' : frame(element) ? 'object' : 'veil';
      add(key, kind, box, state, { region: large && !control });
    }
  };

  const isSVG = (element) => element.namespaceURI === 'http://www.w3.org/2000/svg';
  const isGround = (element) => element === element.ownerDocument.documentElement || element === element.ownerDocument.body;
  // The document of a frame, null where its origin is another and nobody may look inside.
  const frame = (element) => /^I?FRAME$/.test(element.tagName) ? element.contentDocument : null;

  // Contexts: `flow` orders what is painted with its nearest positioned ancestor, `layer` what is positioned itself.
  const visit = (element, parent) => {
    const style = getComputedStyle(element);
    if (style.display === 'none') return;
    const index = ++count;
    const positioned = style.position !== 'static';
    const z = style.zIndex === 'auto' ? null : parseInt(style.zIndex, 10);
    const opacity = parseFloat(style.opacity);
    const filtered = style.filter !== 'none' || style.mixBlendMode !== 'normal' || style.maskImage !== 'none' && style.maskImage !== undefined;
    const stacking = positioned && z !== null || z !== null && parent.flexible || opacity < 1 || filtered
      || style.transform !== 'none' || style.isolation === 'isolate' || style.position === 'fixed' || style.position === 'sticky'
      || style.backdropFilter && style.backdropFilter !== 'none' || /transform|opacity|filter/.test(style.willChange);
    const own = positioned || stacking;
    const level = z === null || z === 0 ? 0.5 : z < 0 ? z : z + 0.5;
    const key = own ? [...parent.layer, level, index] : [...parent.flow, 0.1, index];
    const state = {
      flow: own ? key : parent.flow, layer: stacking ? key : parent.layer,
      opacity: parent.opacity * opacity, flexible: /flex|grid/.test(style.display),
      mixed: parent.mixed || opacity < 0.995 || filtered || turned(style),
      clip: style.position === 'fixed' ? parent.window.clip : parent.clip,
      rounded: style.position === 'fixed' ? parent.window.rounded : parent.rounded,
      window: parent.window, inControl: parent.inControl,
    };
    const box = element.getBoundingClientRect();
    const content = own ? key : [...parent.flow, 0.3, index];
    const visible = style.visibility === 'visible' && state.opacity > 0.004;
    const control = /^(BUTTON|INPUT|TEXTAREA|SELECT)$/.test(element.tagName) || element.getAttribute('role') === 'button';
    if (visible && box.width > 0 && box.height > 0) {
      // The page's own ground lies under all; a frame's hides what is behind the frame.
      if (element !== document.documentElement && element !== document.body && !isSVG(element)) {
        background(element, style, box, key, state);
      }
      for (const pseudo of ['::before', '::after']) {
        const made = getComputedStyle(element, pseudo);
        if (made.content !== 'none' && made.content !== 'normal' && made.position === 'absolute'
          && (made.backgroundImage !== 'none' || alpha(made.backgroundColor) > 0)) {
          const inside = urls(made.backgroundImage).some((url) => isPhoto.has(url));
          add([...state.flow, 0.5, index + 0.5], inside ? 'blended' : 'veil', box, state, { radius: radii(style, box) });
        }
      }
      replaced(element, style, box, content, state);
      if (!isSVG(element)) {
        const boxes = lines(element);
        const share = boxes.length ? Math.ceil(ownText(element) / boxes.length) : 0;
        for (const line of boxes) add(content, 'text', line, state, { letters: share });
        if (boxes.length && !control && !state.inControl) add(content, 'object', around(boxes), state, { region: true });
      }
      if (control && !state.inControl) add(content, 'object', box, state, { region: true, radius: radii(style, box) });
    }
    if (control) state.inControl = true;
    const inside = frame(element);
    if (style.overflowX !== 'visible' && !isGround(element) || inside) {
      const [l, t, r, b] = state.clip;
      const edge = (side) => parseFloat(style[`border${side}Width`]) || 0;
      state.clip = [Math.max(l, originX + box.left + edge('Left')), Math.max(t, originY + box.top + edge('Top')),
        Math.min(r, originX + box.right - edge('Right')), Math.min(b, originY + box.bottom - edge('Bottom'))];
      const corners = radii(style, box);
      if (corners.some((corner) => corner > 0.5)) {
        state.rounded = [...state.rounded, [originX + box.x, originY + box.y, box.width, box.height, ...corners]];
      }
    }
    if (inside) {
      const [x, y] = [originX, originY];
      const edge = (side) => (parseFloat(style[`padding${side}`]) || 0) + (parseFloat(style[`border${side}Width`]) || 0);
      originX += box.left + edge('Left');
      originY += box.top + edge('Top');
      // What a frame shows is painted as one, in its place.
      visit(inside.documentElement, { ...state, flow: content, layer: content, window: { clip: state.clip, rounded: state.rounded } });
      [originX, originY] = [x, y];
      return;
    }
    if (element.tagName === 'svg' && !element.querySelector('image, foreignObject')) return;
    for (const child of (element.shadowRoot || element).children) visit(child, state);
  };

  visit(document.documentElement, {
    flow: [], layer: [], opacity: 1, flexible: false, mixed: false, clip: [0, 0, width, height], rounded: [], inControl: false,
    window: { clip: [0, 0, width, height], rounded: [] },
  });
  items.sort((a, b) => compare(a.key, b.key));
  return items.map(({ key, ...item }) => item);
}
