// Questions to the server that sent this page, and its own words back.
(() => {
  'use strict';
  const $ = (id) => document.getElementById(id);
  const FILE = 'river.txt';
  const path = new URL(FILE, location.href).pathname;

  function sent(lines) { $('wire-out').textContent = lines.join('\n'); }
  function came(response, more) {
    const box = $('wire-in');
    box.textContent = '';
    const status = document.createElement('b');
    status.textContent = `${response.status} ${response.statusText}`;
    box.append(status, '\n', [...response.headers].map(([name, value]) => `${name}: ${value}`).join('\n'));
    if (more) box.append('\n\n', more);
  }
  const ask = (method, headers) => fetch(FILE, { method, headers, cache: 'no-store' });
  async function head() { // read to its (empty) end, so that the browser keeps the connection
    const response = await ask('HEAD', {});
    await response.text();
    return response;
  }

  const questions = {
    async head() {
      sent([`HEAD ${path} HTTP/1.1`]);
      came(await head(), 'Everything about the file, and none of it.');
    },
    async range() {
      sent([`GET ${path} HTTP/1.1`, 'Range: bytes=0-99']);
      const response = await ask('GET', { Range: 'bytes=0-99' });
      const text = await response.text();
      came(response, response.status === 206 ? text : `This server sent all ${text.length} bytes: it does not do ranges.`);
    },
    async again() {
      const tag = (await head()).headers.get('etag');
      sent([`GET ${path} HTTP/1.1`, `If-None-Match: ${tag || '(this server gives no ETag)'}`]);
      const response = await ask('GET', tag ? { 'If-None-Match': tag } : {});
      const body = await response.text();
      came(response, `${body.length} bytes of body.`);
    },
    async burst() {
      sent(Array(6).fill(`HEAD ${path} HTTP/1.1`).concat('\u2026 forty in all, six at a time'));
      performance.clearResourceTimings();
      const before = performance.now(), times = [];
      let left = 40, response;
      await Promise.all(Array.from({ length: 6 }, async () => {
        while (left-- > 0) {
          const start = performance.now();
          response = await head();
          times.push(performance.now() - start);
        }
      }));
      times.sort((a, b) => a - b);
      const entries = performance.getEntriesByType('resource').filter((e) => e.name.endsWith(FILE));
      const fresh = entries.filter((e) => e.connectEnd > e.connectStart).length;
      came(response, `40 answers in ${(performance.now() - before).toFixed(0)} ms; half of them within ${times[20].toFixed(1)} ms, as the browser counts.\n`
        + (entries.length ? `${fresh} new connections, ${entries.length - fresh} requests on kept ones.` : ''));
    },
  };

  for (const button of document.querySelectorAll('.ask')) {
    button.addEventListener('click', async () => {
      for (const other of document.querySelectorAll('.ask')) other.setAttribute('aria-pressed', String(other === button));
      try {
        await questions[button.dataset.ask]();
      } catch (error) {
        $('wire-in').textContent = location.protocol === 'file:'
          ? 'This page was opened as a file. Type `make serve` and open http://127.0.0.1:8080/.' : `No answer: ${error.message}.`;
      }
    });
  }
  new IntersectionObserver((entries, watch) => {
    if (!entries[0].isIntersecting) return;
    watch.disconnect();
    if (!document.querySelector('.ask[aria-pressed=true]')) document.querySelector('.ask').click();
  }).observe($('wire-in'));
})();
