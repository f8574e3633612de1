// Seven models in slow motion: clients ask, think and ask again over connections they keep. The rules are those of
// the server: what a place is, what becomes of an idle connection, what a crash takes with it.
(() => {
  'use strict';
  const $ = (id) => document.getElementById(id);
  const TICK = 100, MAX = 24;
  // idle: 'yield' = is closed when another waits and no place is free; 'park' = leaves its place but keeps its connection.
  const models = [
    { name: 'sequential', who: 'One worker, one client after the other.', frames: [1], idle: 'yield', dies: 'every connection under way: there is one' },
    { name: 'fork-wait', who: 'A child for each client. The server waits for it.', frames: [1], idle: 'yield', dies: 'that connection' },
    { name: 'fork', who: 'A child for each client, up to a cap. Here four.', frames: [1, 1, 1, 1], idle: 'yield', dies: 'that connection' },
    { name: 'thread', who: 'A thread for each client, up to a cap. Here four.', frames: [4], threads: true, idle: 'yield', dies: 'the worker\u2019s connections' },
    { name: 'pool', who: 'A few threads and a queue. Idle clients wait outside, connected.', frames: [3], threads: true, idle: 'park', dies: 'the worker\u2019s connections, parked ones too' },
    { name: 'prefork', who: 'A few processes, all of which accept. Here three.', frames: [1, 1, 1], idle: 'yield', dies: 'that connection' },
    { name: 'event', who: 'One loop a core looks after all of its clients at once.', frames: [8, 8], idle: 'yield', dies: 'that loop\u2019s connections' },
  ];
  const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  let model, frames, clients, queue, answered, longest, paused = still, seen = false, next;

  const speak = () => 12 + Math.random() * 14;
  const think = () => 14 + Math.random() * 40;
  const counted = (n, one) => `${n} ${one}${n === 1 ? '' : 's'}`;
  const say = (text) => { $('model-say').textContent = text; };

  function addClient(silent) {
    if (clients.length >= MAX) return say(`${MAX} are enough for a drawing.`);
    const dot = document.createElement('span');
    dot.className = 'dot';
    dot.textContent = silent ? '\u2013' : String(next++);
    $('stage').append(dot);
    const client = { dot, silent, frame: null, left: 3, need: speak(), done: 0, waits: 0, at: 'home', connected: false };
    clients.push(client);
    if (silent) say('It connects and says nothing. A browser does this ahead of need.');
  }

  function goHome(client, ticks) {
    if (client.frame) client.frame.slots[client.slot] = null;
    Object.assign(client, { at: 'home', frame: null, left: ticks, done: 0, connected: false });
  }
  function enqueue(client) {
    Object.assign(client, { at: 'queue', waits: 0, connected: true });
    queue.push(client);
  }
  function seat(client, frame) {
    const slot = frame.slots.indexOf(null);
    frame.slots[slot] = client;
    Object.assign(client, { at: 'place', frame, slot, done: 0, need: speak(), idleFor: 0, talking: !client.silent });
  }
  function freeFrame() {
    return frames.filter((f) => !f.dead && f.slots.includes(null)).sort((a, b) => a.slots.filter(Boolean).length - b.slots.filter(Boolean).length)[0];
  }

  function rest(client) { // it has been answered and keeps its connection
    client.talking = false;
    client.idleFor = 0;
    client.left = think();
    if (model.idle === 'park') park(client);
  }
  function park(client) {
    client.frame.slots[client.slot] = null;
    Object.assign(client, { at: 'parked', frame: null });
  }

  function stepPlace(client) {
    if (client.talking) {
      client.done++;
      if (client.done >= client.need) { answered++; rest(client); }
    } else {
      client.idleFor++;
      if (client.silent) { if (model.idle === 'park' && client.idleFor > 2) park(client); }
      else if (--client.left <= 0) Object.assign(client, { talking: true, done: 0, need: speak() });
    }
  }

  function tick() {
    for (const f of frames) if (f.dead && --f.dead === 0) say('The supervisor has started it again.');
    for (const c of clients) {
      if (c.at === 'place') stepPlace(c);
      else if (c.at === 'parked' && !c.silent && --c.left <= 0) enqueue(c);
      else if (c.at === 'home' && --c.left <= 0) enqueue(c);
      else if (c.at === 'queue') { c.waits++; longest = Math.max(longest, c.waits); }
    }
    for (let f; queue.length && (f = freeFrame());) seat(queue.shift(), f);
    if (queue.length) { // pressure: the connection that rested longest gives up its place
      const resting = clients.filter((c) => c.at === 'place' && !c.talking && c.idleFor > 2).sort((a, b) => b.idleFor - a.idleFor)[0];
      if (resting) goHome(resting, resting.silent ? 60 : Math.max(8, resting.left));
    }
  }

  function fill(box, list) {
    while (box.childElementCount > list.length) box.lastChild.remove();
    while (box.childElementCount < list.length) box.append(Object.assign(document.createElement('i'), { className: 'slot' }));
    list.forEach((client, i) => { client.slotBox = box.children[i]; });
  }

  function draw() {
    for (const at of ['home', 'queue', 'parked']) fill($(`zone-${at}`), at === 'queue' ? queue : clients.filter((c) => c.at === at));
    for (const f of frames) {
      f.box.classList.toggle('dead', Boolean(f.dead));
      f.slots.forEach((c, i) => { if (c) c.slotBox = f.box.children[i]; });
    }
    const base = $('stage').getBoundingClientRect();
    const spots = clients.map((c) => c.slotBox.getBoundingClientRect());
    clients.forEach((c, i) => {
      const look = c.silent ? 'silent' : c.cut > 0 ? 'cut' : c.at === 'queue' ? 'waits' : c.at === 'home' ? 'home' : c.talking ? '' : 'idle';
      if (c.cut > 0) c.cut--;
      c.dot.className = `dot ${look}`;
      c.dot.style.setProperty('--done', c.talking && c.at === 'place' ? `${(100 * c.done) / c.need}%` : '0%');
      c.dot.style.translate = `${spots[i].left - base.left - 2}px ${spots[i].top - base.top - 2}px`;
    });
    const busy = clients.filter((c) => c.at === 'place' && c.talking).length;
    const kept = clients.filter((c) => c.connected && c.at !== 'queue' && !c.talking).length;
    const facts = [['clients', clients.length], ['being answered', busy], ['idle, still connected', kept], ['waiting', queue.length],
      ['longest wait', `${(longest * TICK / 1000).toFixed(1)} s`], ['answered', answered]];
    if ($('model-facts').childElementCount !== facts.length * 2) $('model-facts').innerHTML = facts.map(() => '<dt></dt><dd></dd>').join('');
    facts.forEach(([name, value], i) => {
      $('model-facts').children[2 * i].textContent = name;
      $('model-facts').children[2 * i + 1].textContent = value;
    });
  }

  function crash() {
    const alive = frames.filter((f) => !f.dead && f.slots.some(Boolean));
    const frame = alive[Math.floor(Math.random() * alive.length)];
    if (!frame) return say('Nobody is at home to crash. Add a client.');
    let victims = frame.slots.filter(Boolean);
    if (model.idle === 'park') victims = victims.concat(clients.filter((c) => c.at === 'parked'));
    for (const c of victims) { goHome(c, 14 + Math.random() * 8); c.cut = 14; }
    frame.dead = 18;
    return say(`It took with it: ${model.dies}. ${counted(victims.length, 'client')} cut off, ${clients.length - victims.length} untouched.`);
  }

  function choose(chosen) {
    const count = clients ? clients.filter((c) => !c.silent).length : 5, silent = clients ? clients.filter((c) => c.silent).length : 0;
    for (const c of clients || []) c.dot.remove();
    model = chosen;
    clients = []; queue = []; answered = 0; longest = 0; next = 1;
    $('zone-places').textContent = '';
    frames = model.frames.map((size) => {
      const box = document.createElement('div');
      box.className = model.threads || size > 1 ? `frame ${model.threads ? 'threads' : ''}` : 'frame';
      for (let i = 0; i < size; i++) box.append(Object.assign(document.createElement('i'), { className: 'slot' }));
      $('zone-places').append(box);
      return { box, slots: Array(size).fill(null), dead: 0 };
    });
    $('stage').classList.toggle('nopark', model.idle !== 'park');
    $('model-who').textContent = model.who;
    for (let i = 0; i < count; i++) { addClient(false); clients[i].left = 2 + i * 3; }
    for (let i = 0; i < silent; i++) addClient(true);
    say(`A box is a process${model.threads ? ', a square in it a thread' : ''}. A crash would take with it: ${model.dies}.`);
    draw();
  }

  models.forEach((m, i) => {
    const label = document.createElement('label');
    label.innerHTML = `<input type="radio" name="model"${m.name === 'pool' ? ' checked' : ''}><span>${m.name}</span>`;
    label.firstChild.addEventListener('change', () => choose(models[i]));
    $('model-chips').append(label);
  });
  $('add').addEventListener('click', () => { addClient(false); draw(); });
  $('add-silent').addEventListener('click', () => { addClient(true); draw(); });
  $('crash').addEventListener('click', () => { crash(); draw(); });
  $('reset').addEventListener('click', () => { for (const c of clients) c.dot.remove(); clients = null; choose(model); });
  $('pause').addEventListener('click', () => setPaused(!paused));
  function setPaused(value) {
    paused = value;
    $('pause').setAttribute('aria-pressed', String(paused));
    $('pause').textContent = paused ? 'Run' : 'Pause';
  }
  setPaused(paused);
  new IntersectionObserver((entries) => { seen = entries[0].isIntersecting; }).observe($('stage'));
  addEventListener('resize', () => draw());
  choose(models.find((m) => m.name === 'pool'));
  setInterval(() => { if (!paused && seen && !document.hidden) { tick(); draw(); } }, TICK);
})();
