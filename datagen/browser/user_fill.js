// What the network cannot exchange: frames of videos, and drawing areas that are said to show photographs.
async ({ white }) => {
  const colour = white ? '#fff' : '#000';
  const pending = [];
  for (const video of document.querySelectorAll('video')) {
    if (video.closest('[data-diptych]')?.dataset.diptych === 'drawn' || !video.videoWidth) continue;
    const canvas = document.createElement('canvas');
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    const context = canvas.getContext('2d');
    context.fillStyle = colour;
    context.fillRect(0, 0, canvas.width, canvas.height);
    const still = new Image();
    still.src = canvas.toDataURL();
    pending.push(still.decode());
    for (const source of video.querySelectorAll('source')) source.remove();
    video.removeAttribute('src');
    video.srcObject = null;
    video.poster = still.src;
    video.load();
  }
  for (const canvas of document.querySelectorAll('canvas')) {
    if (canvas.closest('[data-diptych]')?.dataset.diptych === 'photo') canvas.style.filter = white ? 'brightness(0) invert(1)' : 'brightness(0)';
  }
  await Promise.all(pending);
  if (pending.length) await __diptychWait(100);
  await __diptychFrames();
}
