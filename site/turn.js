// One connection, step by step: driver, connection, machine. And the gauge at the edge of the page.
(() => {
  'use strict';
  const $ = (id) => document.getElementById(id);
  // at: who acts; does: what the driver does; says: what the machine answers; used: bytes of input consumed.
  const steps = [
    { at: 'driver', text: 'A client connects to a server that answers each line in upper case.', does: 'waits for input', says: 'rests; nobody calls it', input: '', used: 0, out: '' },
    { at: 'driver', text: 'Half a line arrives. The driver reads it and gives it to the connection.', does: 'read() = 3, then weir_conn_received(conn, 3)', says: 'rests', input: 'hel', used: 0, out: '' },
    { at: 'machine', text: 'The turn offers it to the machine. No line end: it needs more, and says so.', does: 'calls weir_conn_turn(conn)', says: 'input("hel") returns 0: needs more', input: 'hel', used: 0, out: '' },
    { at: 'conn', text: 'The turn is over: the connection is quiescent. It wants one thing only.', does: 'is told: READ', says: 'rests', input: 'hel', used: 0, out: '' },
    { at: 'driver', text: 'The rest arrives, and the start of another line behind it.', does: 'read() = 5, then weir_conn_received(conn, 5)', says: 'rests', input: 'hello\u21b5we', used: 0, out: '' },
    { at: 'machine', text: 'The machine uses one whole line and queues the answer. It sends nothing itself.', does: 'calls weir_conn_turn(conn)', says: 'input("hello\u21b5we") returns 6', input: 'hello\u21b5we', used: 6, out: 'HELLO\u21b5' },
    { at: 'machine', text: 'It is called again with what is left, as long as it consumes.', does: 'is still in the same call', says: 'input("we") returns 0: needs more', input: 'we', used: 0, out: 'HELLO\u21b5' },
    { at: 'conn', text: 'Quiescent again. Now it wants two things.', does: 'is told: READ and WRITE', says: 'rests', input: 'we', used: 0, out: 'HELLO\u21b5' },
    { at: 'driver', text: 'The driver tries to write. Were the client slow, the queue would fill, and a full queue gets no more input.', does: 'writev() = 6, then weir_conn_sent(conn, 6)', says: 'rests', input: 'we', used: 0, out: '' },
    { at: 'conn', text: 'What is left fits in a few bytes. A connection at rest, with nothing unread, holds no buffer at all.', does: 'waits: input, or the deadline', says: 'rests, with a deadline armed', input: 'we', used: 0, out: '' },
  ];
  let now = 0;

  function cells(box, text, used) {
    box.textContent = text ? '' : '(empty)';
    [...text].forEach((letter, i) => {
      const cell = document.createElement('span');
      cell.textContent = letter;
      cell.className = i < used ? 'used' : '';
      box.append(cell);
    });
  }
  function show() {
    const step = steps[now];
    $('step-text').textContent = step.text;
    $('driver-does').textContent = step.does;
    $('machine-says').textContent = step.says;
    cells($('cells-in'), step.input, step.used);
    cells($('cells-out'), step.out, 0);
    for (const who of ['driver', 'conn', 'machine']) $(`box-${who}`).classList.toggle('here', step.at === who);
    $('step').disabled = now === steps.length - 1;
  }
  $('step').addEventListener('click', () => { now = Math.min(now + 1, steps.length - 1); show(); });
  $('again').addEventListener('click', () => { now = 0; show(); });
  show();

  const staff = document.querySelector('.staff');
  const gauge = () => staff.style.setProperty('--gone', (scrollY / Math.max(1, document.documentElement.scrollHeight - innerHeight)).toFixed(3));
  addEventListener('scroll', gauge, { passive: true });
  gauge();
})();
