// The weir at the top of the page: one bounded queue, a writer and a reader. What the state line says is what
// the streams of the library promise.
(() => {
  'use strict';
  const $ = (id) => document.getElementById(id);
  const FULL = 130, BED = 330, WALL = 652, SIZE = 64; // heights in the drawing; the queue holds 64 KiB
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  const flow = { level: .5, writer: true, reader: true, lost: false };
  let said = '', time = 0, last = 0, inNow = 0, outNow = 0, left = -200, right = 1400;

  function wave(from, to, y, height, speed) {
    let d = '';
    for (let x = from; x <= to; x += 10) {
      const up = Math.sin(x / 31 + time * speed) * height + Math.sin(x / 13 - time * speed * 1.7) * height * .4;
      d += `${d ? 'L' : 'M'}${x} ${(y + up).toFixed(1)}`;
    }
    return d;
  }

  function measure() { // the drawing keeps its height; how far it reaches to both sides depends on the window
    const half = $('scene').clientWidth / $('scene').clientHeight * 200 + 40;
    [left, right] = [600 - Math.max(260, half), 600 + Math.max(260, half)].map((x) => Math.round(x / 10) * 10);
  }

  function step(dt) {
    const wish = flow.writer && flow.reader ? +$('flow-in').value / 10 : 0;
    const take = flow.reader ? +$('flow-out').value / 10 : 0;
    const room = flow.level < 1 ? wish : Math.min(wish, take);
    const have = flow.level > 0 ? take : Math.min(take, room);
    inNow += (room - inNow) * Math.min(1, dt * 8);
    outNow += (have - outNow) * Math.min(1, dt * 8);
    flow.level = Math.min(1, Math.max(0, flow.level + (room - have) * dt * .35));
    return { wish, take, room };
  }

  function words({ wish, take }) {
    if (!flow.reader) return flow.lost ? 'The writer gets EPIPE. An error, never a signal.' : 'Nobody reads any more.';
    if (!flow.writer) return flow.level > 0 && take > 0 ? 'The last writer has closed. The reader drains what is left.'
      : flow.level > 0 ? 'Closed, but not lost: the bytes wait for the reader.' : 'read() returns 0: end of file.';
    if (flow.level >= 1 && wish > take) return 'Full. The writer waits.';
    if (flow.level <= 0 && take > wish) return 'Empty. The reader waits.';
    if (wish > take) return 'The pool rises. Memory will not: it is bounded.';
    if (wish < take) return 'The pool falls. The reader has time.';
    return wish ? 'In step: as much leaves as comes.' : 'Nothing moves. An idle stream costs nothing.';
  }

  function draw(now) {
    const y = BED - flow.level * (BED - FULL);
    const rough = 1.5 + inNow * 4, pool = wave(left, WALL, y, rough, 2.2) + `L${WALL} ${y.toFixed(1)}`;
    $('pool').setAttribute('d', `${pool}V${BED + 1}H${left}z`);
    $('pool-line').setAttribute('d', flow.level > .005 ? pool : '');
    const low = 344 - outNow * 26, reach = wave(744, right, low, .8 + outNow * 3, -3);
    $('reach').setAttribute('d', `${reach}V347H724L744 ${low}z`);
    $('reach-line').setAttribute('d', outNow > .02 ? reach : '');
    const gap = outNow * 34;
    $('jet').setAttribute('d', outNow > .02 ? `M650 ${BED - gap}H676Q720 ${BED - gap * .8} 756 ${low}V347H724L700 331H650z` : '');
    $('gate').setAttribute('transform', `translate(0 ${-(flow.reader ? +$('flow-out').value / 10 : 0) * 34})`);
    const half = inNow * 21;
    $('spout-water').setAttribute('d', inNow > .02 ? `M${428 - half} 84Q${428 - half * .7} ${(y + 84) / 2} ${428 - half} ${y + 3}H${428 + half}Q${428 + half * .7} ${(y + 84) / 2} ${428 + half} 84z` : '');
    $('valve').classList.toggle('shut', inNow < .02 || now.room < now.wish);
    $('level-mark').setAttribute('transform', `translate(546 ${y.toFixed(1)})`);
    $('level-text').textContent = `${Math.round(flow.level * SIZE)} KiB`;
    $('logo-level').setAttribute('transform', `translate(0 ${(112 - flow.level * 82).toFixed(1)})`);
    const text = words(now);
    if (text !== said) $('flow-state').textContent = said = text;
  }

  function frame(ms) {
    const dt = Math.min(.05, (ms - last) / 1000 || 0);
    last = ms;
    if (!calm) time += dt;
    draw(step(dt));
    requestAnimationFrame(frame);
  }

  function toggle(id, side, open, closed) {
    $(id).addEventListener('click', () => {
      flow[side] = !flow[side];
      flow.lost = !flow.reader;
      $(id).textContent = flow[side] ? open : closed;
      $(id).setAttribute('aria-pressed', String(!flow[side]));
    });
  }
  toggle('close-writer', 'writer', 'Close the writer', 'Open a writer');
  toggle('close-reader', 'reader', 'Close the reader', 'Open a reader');
  addEventListener('resize', measure);
  measure();
  requestAnimationFrame(frame);

  const staff = document.querySelector('.staff');
  const gauge = () => staff.style.setProperty('--gone', (scrollY / Math.max(1, document.documentElement.scrollHeight - innerHeight)).toFixed(3));
  addEventListener('scroll', gauge, { passive: true });
  gauge();

  for (const button of document.querySelectorAll('.copy')) {
    button.addEventListener('click', async () => {
      try { await navigator.clipboard.writeText(button.dataset.copy); button.textContent = 'Copied'; }
      catch { button.textContent = 'Select it'; }
      setTimeout(() => { button.textContent = 'Copy'; }, 1500);
    });
  }
})();
