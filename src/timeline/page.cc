// SPDX-License-Identifier: Apache-2.0
// timeline/page.cc: a timeline as a page of HTML that needs nothing else.
#include "timeline/page.hh"

#include <string_view>

#include "draw/svg.hh"
#include "timeline/chronicle.hh"

namespace ktm::timeline {

namespace {

using draw::xml;

// LIMIT: rows of the table; a browser takes no more without a pause.
constexpr std::size_t rows_max = 20'000;

constexpr std::string_view page_style = R"(
body{font-family:"Segoe UI",Helvetica,Arial,"DejaVu Sans",sans-serif;font-size:14px;color:#1f2328;
background:#fff;margin:16px}
svg.ktm-time{max-width:100%;height:auto}
svg g[data-key]{cursor:pointer}
#told{position:sticky;top:0;background:#fff;border:1px solid #8c959f;border-radius:4px;
padding:6px 10px;min-height:3.6em;max-width:980px;white-space:pre-wrap;overflow-wrap:anywhere}
table{border-collapse:collapse;margin-top:8px}
th,td{text-align:left;vertical-align:top;padding:2px 12px 2px 0;border-bottom:1px solid #e4e8ec}
td.time,td.length{font-variant-numeric:tabular-nums;text-align:right;white-space:nowrap}
td.detail{overflow-wrap:anywhere;color:#57606a;max-width:560px}
tr{cursor:pointer}
tr.picked td{background:#ddf0ff}
tr.bad td.what,tr.dark td.what,tr.running td.what,tr.commit td.what{font-weight:bold}
table.brief tr.minor{display:none}
@media print{#told,label{display:none}body{margin:0}tr{break-inside:avoid}}
)";

constexpr std::string_view script = R"(
const told=document.getElementById('told');
const shapes=key=>document.querySelectorAll('[data-key="'+key+'"]');
function pick(key,from){
 document.querySelectorAll('.picked').forEach(e=>e.classList.remove('picked'));
 shapes(key).forEach(e=>{e.classList.add('picked');
  if(e.tagName.toLowerCase()!==from)e.scrollIntoView({block:'nearest'});});
}
document.querySelectorAll('svg g[data-key]').forEach(g=>{
 const title=g.querySelector('title');
 const text=title?title.textContent:'';
 g.addEventListener('mouseenter',()=>{told.textContent=text;});
 g.addEventListener('click',()=>{
  const row=document.querySelector('tr[data-key="'+g.dataset.key+'"]');
  if(row&&row.classList.contains('minor'))document.getElementById('all').click();
  told.textContent=text;pick(g.dataset.key,'g');});
});
document.querySelectorAll('tr[data-key]').forEach(r=>r.addEventListener('click',()=>{
 told.textContent=[...r.cells].map(c=>c.textContent).filter(t=>t).join('\n');
 pick(r.dataset.key,'tr');}));
document.getElementById('all').addEventListener('change',e=>
 document.getElementById('list').classList.toggle('brief',!e.target.checked));
)";

std::string cell(std::string_view classes, std::string_view text) {
    return "<td class=\"" + std::string{classes} + "\">" + xml(text) + "</td>";
}

std::string row_of(const Timeline& timeline, const Entry& entry) {
    return "<tr data-key=\"" + entry.key + "\" class=\"" + name_of(entry.look) +
           (entry.minor ? " minor" : "") + "\">" + cell("time", clock_text(entry.begin)) +
           cell("length", length_text(entry)) + cell("who", timeline.lanes[entry.lane].name) +
           cell("what", entry.what) + cell("detail", entry.detail) + "</tr>\n";
}

}  // namespace

std::string draw_html(const Timeline& timeline, int width) {
    const std::string title =
        (timeline.title.empty() ? "timeline" : timeline.title) + ": " + headline(timeline);
    std::string page =
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
        "'unsafe-inline'; script-src 'unsafe-inline'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width\">\n<title>" +
        xml(title) + "</title>\n<style>" + std::string{page_style} + "</style>\n</head>\n<body>\n" +
        draw_svg(timeline, width) +
        "<div id=\"told\">Point at something to read about it; click to find it in the "
        "list.</div>\n<p><label><input type=\"checkbox\" id=\"all\"> with all commands and minor "
        "events</label></p>\n<table id=\"list\" class=\"brief\">\n<thead><tr><th>at, s</th>"
        "<th>for</th><th>who</th><th>what</th><th>in detail</th></tr></thead>\n<tbody>\n";
    std::size_t rows = 0;
    for (const Entry& entry : chronicle(timeline)) {
        if (++rows > rows_max) {
            page += "<tr><td colspan=\"5\">The list ends here: it is too long.</td></tr>\n";
            break;
        }
        page += row_of(timeline, entry);
    }
    return page + "</tbody>\n</table>\n<script>" + std::string{script} +
           "</script>\n</body>\n</html>\n";
}

}  // namespace ktm::timeline
