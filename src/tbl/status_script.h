/*
 * tbl/status_script.h: what the page of the figures shows and how it moves: it listens to the events and draws. Rows, no code.
 */
#pragma once

// clang-format off
#define STATUS_BODY \
    "<header><h1>weir</h1><p id=\"live\">connecting</p><p id=\"up\"></p></header>\n" \
    "<dl class=\"tiles\">\n" \
    "<div><dt>Requests a second</dt><dd id=\"rate\">–</dd></div>\n" \
    "<div><dt>Connections</dt><dd id=\"conn\">–</dd></div>\n" \
    "<div><dt>Half within</dt><dd id=\"p50\">–</dd></div>\n" \
    "<div><dt>99 of 100 within</dt><dd id=\"p99\">–</dd></div>\n" \
    "<div><dt>Content a second</dt><dd id=\"sent\">–</dd></div>\n" \
    "<div><dt>Server errors a second</dt><dd id=\"bad\">–</dd></div>\n" \
    "</dl>\n" \
    "<section><h2>Requests a second, the last three minutes</h2>\n" \
    "<div class=\"plot\"><svg id=\"g1\" viewBox=\"0 0 180 100\" preserveAspectRatio=" \
    "\"none\" role=\"img\" aria-label=\"requests a second by status\"></svg><span cla" \
    "ss=\"top\" id=\"y1\"></span></div>\n" \
    "<ul class=\"key\"><li class=\"ok\">2xx <b id=\"k2\">0</b><li class=\"moved\">3xx" \
    " <b id=\"k3\">0</b><li class=\"theirs\">4xx <b id=\"k4\">0</b><li class=\"ours\"" \
    ">5xx <b id=\"k5\">0</b></ul></section>\n" \
    "<section><h2>Time to answer</h2>\n" \
    "<div class=\"plot\"><svg id=\"g2\" viewBox=\"0 0 180 100\" preserveAspectRatio=" \
    "\"none\" role=\"img\" aria-label=\"time to answer\"></svg><span class=\"top\">1 " \
    "s</span><span class=\"mid\">1 ms</span><span class=\"low\">1 µs</span></div>\n" \
    "<ul class=\"key\"><li class=\"ok\">half within<li class=\"theirs\">99 of 100 wit" \
    "hin</ul></section>\n" \
    "<div class=\"pair\"><section><h2>Since the start</h2><table><tbody id=\"sums\"><" \
    "/tbody></table></section>\n" \
    "<section><h2>Limits that struck</h2><table><tbody id=\"limits\"></tbody></table>" \
    "</section></div>\n" \
    "<noscript><p>This page needs a script to move; the figures as text are at its ad" \
    "dress with /metrics behind it.</p></noscript>\n"

#define STATUS_SCRIPT \
    "\n" \
    "\"use strict\";\n" \
    "const $=id=>document.getElementById(id),points=[],KEEP=180;\n" \
    "let last=null,heard=0;\n" \
    "const part=(n,d)=>n>=100?n.toFixed(0):n>=10?n.toFixed(Math.min(d,1)):n.toFixed(d" \
    ");\n" \
    "function count(n){for(const u of[\"\",\"k\",\"M\",\"G\"]){if(n<9999.5||u===\"G\"" \
    ")return(u?part(n,2):part(n,n%1?1:0))+u;n/=1000}}\n" \
    "function bytes(n){for(const u of[\"B\",\"kB\",\"MB\",\"GB\",\"TB\"]){if(n<1000||" \
    "u===\"TB\")return part(n,u===\"B\"?0:1)+\"\\u202f\"+u;n/=1000}}\n" \
    "function time(s){if(s==null)return\"–\";if(s<1e-3)return part(s*1e6,0)+\"\\u202f" \
    "µs\";if(s<1)return part(s*1e3,1)+\"\\u202fms\";return part(s,1)+\"\\u202fs\"}\n" \
    "function span(s){const d=Math.floor(s/86400),h=Math.floor(s%86400/3600),m=Math.f" \
    "loor(s%3600/60);\n" \
    "return d?d+\" d \"+h+\" h\":h?h+\" h \"+m+\" min\":m?m+\" min\":Math.floor(s)+\"" \
    " s\"}\n" \
    "function quantile(le,n,q){const sum=n.reduce((a,b)=>a+b,0);if(!sum)return null;l" \
    "et want=q*sum;\n" \
    "for(let i=0;i<n.length;i++){if(n[i]>=want&&n[i]){const lo=i?le[i-1]:0,hi=i<le.le" \
    "ngth?le[i]:le[le.length-1];return lo+(hi-lo)*want/n[i]}want-=n[i]}\n" \
    "return le[le.length-1]}\n" \
    "function make(name,set){const e=document.createElementNS(\"http://www.w3.org/200" \
    "0/svg\",name);for(const k in set)e.setAttribute(k,set[k]);return e}\n" \
    "function trace(get,max){let d=\"\",pen=false;points.forEach((p,i)=>{const v=get(" \
    "p);\n" \
    "if(v==null){pen=false;return}d+=(pen?\"L\":\"M\")+(KEEP-points.length+i)+\" \"+(" \
    "100-Math.max(0,Math.min(1,v/max))*100).toFixed(2);pen=true});return d}\n" \
    "function grid(svg){svg.replaceChildren(...[0,50,100].map(y=>make(\"line\",{x1:0," \
    "x2:KEEP,y1:y,y2:y})))}\n" \
    "function nice(n){const p=Math.pow(10,Math.floor(Math.log10(n||1)));return[1,2,5," \
    "10].map(k=>k*p).find(k=>k>=n)||1}\n" \
    "function draw(){const g1=$(\"g1\"),g2=$(\"g2\"),max=nice(Math.max(1,...points.ma" \
    "p(p=>p.all)));\n" \
    "grid(g1);const x=KEEP-points.length,area=trace(p=>p.all,max);\n" \
    "if(area)g1.append(make(\"path\",{class:\"f ok\",d:area+\"V100H\"+x+\"Z\"}));\n" \
    "[[\"ok\",2],[\"moved\",3],[\"theirs\",4],[\"ours\",5]].forEach(([c,k])=>{if(poin" \
    "ts.some(p=>p.code[k]))g1.append(make(\"path\",{class:c,d:trace(p=>p.code[k],max)" \
    "}))});\n" \
    "$(\"y1\").textContent=count(max);grid(g2);\n" \
    "const log=s=>s==null?null:Math.log10(Math.max(s,1e-6)/1e-6)/6;\n" \
    "g2.append(make(\"path\",{class:\"ok\",d:trace(p=>log(p.p50),1)}),make(\"path\",{" \
    "class:\"theirs\",d:trace(p=>log(p.p99),1)}))}\n" \
    "function rows(id,list){$(id).replaceChildren(...list.map(([k,v])=>{const r=docum" \
    "ent.createElement(\"tr\"),h=document.createElement(\"th\"),d=document.createElem" \
    "ent(\"td\");\n" \
    "h.scope=\"row\";h.textContent=k;d.textContent=v;r.append(h,d);return r}))}\n" \
    "function sums(d){rows(\"sums\",[[\"Requests\",Object.values(d.code).reduce((a,b)" \
    "=>a+b,0).toLocaleString()],[\"of them 4xx\",d.code[4].toLocaleString()],\n" \
    "[\"of them 5xx\",d.code[5].toLocaleString()],[\"Answers cut short\",d.failed.toL" \
    "ocaleString()],[\"Content sent\",bytes(d.sent)],[\"Connections\",d.opened.toLoca" \
    "leString()],\n" \
    "[\"Processes or threads that serve\",d.threads],[\"Log lines lost\",(d.lost[0]+d" \
    ".lost[1]).toLocaleString()]]);\n" \
    "const struck=Object.entries(d.limits).filter(e=>e[1]);rows(\"limits\",struck.len" \
    "gth?struck.map(([k,v])=>[k,v.toLocaleString()]):[[\"none\",\"\"]]);\n" \
    "$(\"up\").textContent=\"up \"+span((d.now-d.start)/1000)}\n" \
    "function step(d){const s=(d.now-last.now)/1000;if(s<=0||d.start!==last.start)ret" \
    "urn;\n" \
    "const code={};let all=0;for(const k in d.code){code[k]=Math.max(0,d.code[k]-last" \
    ".code[k])/s;all+=code[k]}\n" \
    "const n=d.total.map((v,i)=>Math.max(0,v-last.total[i]));\n" \
    "const p={all,code,p50:quantile(d.le,n,.5),p99:quantile(d.le,n,.99)};\n" \
    "for(let i=Math.min(KEEP,Math.round(s));i>0;i--){points.push(p);if(points.length>" \
    "KEEP)points.shift()}\n" \
    "$(\"rate\").textContent=count(all);$(\"p50\").textContent=time(p.p50);$(\"p99\")" \
    ".textContent=time(p.p99);\n" \
    "$(\"sent\").textContent=bytes((d.sent-last.sent)/s);$(\"bad\").textContent=count" \
    "(code[5]+Math.max(0,d.failed-last.failed)/s);\n" \
    "for(const k of[2,3,4,5])$(\"k\"+k).textContent=count(code[k]);draw()}\n" \
    "function live(on){$(\"live\").className=on?\"on\":\"\";$(\"live\").textContent=o" \
    "n?\"live\":\"waiting for the server\"}\n" \
    "const source=new EventSource(location.pathname.replace(/\\/$/,\"\")+\"/events\")" \
    ";\n" \
    "source.onmessage=e=>{const d=JSON.parse(e.data);heard=Date.now();live(true);$(\"" \
    "conn\").textContent=d.connections;sums(d);if(last)step(d);else draw0();last=d};\n" \
    "function draw0(){grid($(\"g1\"));grid($(\"g2\"))}\n" \
    "setInterval(()=>{if(Date.now()-heard>4000)live(false)},1000);\n"
// clang-format on

/* SHA-256 of the script in base64, for the page's Content-Security-Policy: no other script runs (a test computes it again). */
#define STATUS_SCRIPT_HASH "8/LNIdRBYtxoeP+c4+WRUO67tNbzo1ulgz8vlpxcfLQ="
