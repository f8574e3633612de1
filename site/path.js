// The path of a request, and the diamond of layers.
(() => {
  'use strict';
  const $ = (id) => document.getElementById(id);
  const names = ['accept', 'receive', 'parse', 'route', 'open', 'reply head', 'send', 'log'];
  const usual = [
    'A worker takes the connection from the kernel\u2019s listen queue. When every place is taken the rest wait there: nobody is dropped, and nobody is accepted only to be refused.',
    'Bytes are read into one hot buffer a thread and offered to the machine where they lie. Only an unfinished rest is copied. An idle connection holds no buffer at all.',
    'The HTTP machine reads the head. It does no I/O and knows no clock, so the same code runs in the server, in a test that cuts the bytes anywhere, and in a fuzzer.',
    'Method and target decide who answers. A method nobody knows is 501; one that is known and not allowed is 405 with Allow.',
    'The file is opened with openat2(RESOLVE_BENEATH) from the root\u2019s own descriptor, without ever waiting on a named pipe or a device. Only regular files are served.',
    'Status, Date, ETag, Last-Modified and length are queued in one piece. Nothing has been sent yet: the machine only says what should be.',
    'The driver sends the head and then the file as a file span, by sendfile. The bytes never pass through the program. When the client is slow, the queue is full and the machine waits.',
    'One line in combined format, with the time the request took. Then the connection rests, and gives up its place if another client waits.',
  ];
  const scenarios = [
    { label: 'GET a file', wire: ['GET /river.txt HTTP/1.1', '200 OK, the whole file'], stop: 8, notes: {} },
    { label: 'GET it again', wire: ['If-None-Match: "\u2026"', '304 Not Modified, no body'], stop: 8, notes: {
      4: 'The file is opened and its ETag compared with the one the client has. It is the same.',
      5: '304 Not Modified. The head says which version it is, and that is all.', 6: 'The head goes out. There is no body to send.' } },
    { label: 'bytes 0\u201399', wire: ['Range: bytes=0-99', '206 Partial Content, 100 bytes'], stop: 8, notes: {
      5: '206 Partial Content, with Content-Range: which bytes these are, and of how many.', 6: 'A file span of 100 bytes from offset 0. Seeking in a video is the same thing, larger.' } },
    { label: 'a link out', wire: ['GET /link-to-etc-passwd HTTP/1.1', '404 Not Found'], stop: 5, notes: {
      4: 'The link leads out of the root. The kernel itself refuses to follow it, so no race and no clever spelling helps. The answer is 404.' } },
    { label: 'nonsense', wire: ['G\u0001T /\\ HTTQ', '400 Bad Request'], stop: 3, notes: {
      2: 'Not a head by the grammar of RFC 9112. The machine answers 400 and says the connection will close. It does not guess.' } },
    { label: 'silence', wire: ['(nothing)', '408 or a close, by the deadline'], stop: 2, notes: {
      1: 'Every wait has a deadline. Half a head gets 408 when time is up; no bytes at all, a quiet close. If others wait for the place, much sooner.' } },
  ];
  const items = [...$('locks').children];
  const wrap = $('locks').parentElement;
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  let chosen = scenarios[0], run = 0;

  function show(i) {
    items.forEach((li, n) => li.firstElementChild.setAttribute('aria-pressed', String(n === i)));
    $('lock-name').textContent = names[i];
    $('lock-text').textContent = i >= chosen.stop && chosen.stop < 8
      ? `Not reached: this one ends at \u201c${names[chosen.stop - 1]}\u201d.` : chosen.notes[i] || usual[i];
  }

  function place(i) {
    const box = wrap.getBoundingClientRect(), li = items[i].getBoundingClientRect();
    const upright = li.height > 0 && getComputedStyle($('locks')).gridTemplateColumns.split(' ').length === 1;
    const x = upright ? li.left - box.left + 41 : li.left - box.left + li.width / 2;
    const y = upright ? li.top - box.top + li.height / 2 : li.top - box.top + 25;
    $('drop').style.translate = `${x}px ${y}px`;
  }

  function clear() {
    for (const li of items) li.className = '';
    $('drop').style.opacity = 0;
  }

  async function send() {
    const mine = ++run;
    clear();
    $('lock-wire').textContent = `\u2192 ${chosen.wire[0]}`;
    for (let i = 0; i < chosen.stop; i++) {
      place(i);
      $('drop').style.opacity = 1;
      show(i);
      await new Promise((done) => setTimeout(done, calm ? 300 : 1150));
      if (mine !== run) return;
      items[i].className = i === chosen.stop - 1 && chosen.stop < 8 ? 'shut' : 'passed';
    }
    items.slice(chosen.stop).forEach((li) => { li.className = 'unreached'; });
    $('drop').style.opacity = 0;
    $('lock-wire').textContent = `\u2192 ${chosen.wire[0]}  \u2190 ${chosen.wire[1]}`;
  }

  scenarios.forEach((scenario, i) => {
    const label = document.createElement('label');
    label.innerHTML = `<input type="radio" name="scenario"${i ? '' : ' checked'}><span></span>`;
    label.lastChild.textContent = scenario.label;
    label.firstChild.addEventListener('change', () => { chosen = scenario; send(); });
    $('scenarios').append(label);
  });
  items.forEach((li, i) => li.firstElementChild.addEventListener('click', () => { run++; clear(); show(i); place(i); $('drop').style.opacity = 1; }));
  $('send').addEventListener('click', send);
  show(0);

  const layers = {
    weir: 'The program: sub-commands and their options, each a row in a table.',
    service: 'What is answered: files, listings, echo. It knows no sockets. What it needs of the world it asks of its driver.',
    http: 'HTTP as values: heads, fields, ranges, conditions, dates. It reads no clock and opens nothing.',
    proto: 'The seam. A connection is a value; a turn makes it quiescent. Echo, lines and frames are here, one table of functions each.',
    model: 'Who looks after a connection: sequential, fork-wait, fork, thread, pool, prefork, event. One file each.',
    drive: 'Joins bytes and meaning. poll looks after one connection, epoll after all of a core, sim after none: it has no kernel.',
    stream: 'Files, pipes, sockets and child programs, opened by name. It never asks what the bytes mean.',
    base: 'Bytes, spans, arenas, timers, and time as a number that is given and never read.',
  };
  const svg = $('diamond-svg');
  function light(name) {
    svg.classList.toggle('lit', Boolean(name));
    if (!name) return;
    const on = new Set([name]);
    for (const arrow of svg.querySelectorAll('.arrows path')) {
      const [from, to] = arrow.dataset.e.split(' ');
      arrow.classList.toggle('on', from === name);
      if (from === name) on.add(to);
    }
    for (const box of svg.querySelectorAll('.box')) box.classList.toggle('on', on.has(box.dataset.l));
    on.delete(name);
    $('layer-note').innerHTML = '<b></b> ';
    $('layer-note').firstChild.textContent = `${name}.`;
    $('layer-note').append(`${layers[name]} ${on.size ? `May include ${[...on].join(', ')}.` : 'Includes nothing of ours.'}`);
  }
  for (const box of svg.querySelectorAll('.box')) {
    box.setAttribute('role', 'img');
    box.setAttribute('aria-label', `${box.dataset.l}: ${layers[box.dataset.l]}`);
    for (const event of ['pointerenter', 'focus', 'click']) box.addEventListener(event, () => light(box.dataset.l));
  }
  svg.addEventListener('pointerleave', () => light(''));
  svg.addEventListener('focusout', () => light(''));
})();
