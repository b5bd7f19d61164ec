// SPDX-License-Identifier: Apache-2.0
// timeline/picture_style.cc: colours, patterns and letters of a timeline's picture.
//
// Each look differs from the others in its pattern or its frame, too: a picture that is printed in
// grey says the same.
#include "timeline/picture_style.hh"

#include <string_view>

namespace ktm::timeline {

namespace {

constexpr std::string_view picture_rules = R"(<style>
.ktm-time text{font-family:"Segoe UI",Helvetica,Arial,"DejaVu Sans",sans-serif}
.ktm-time text{font-size:11px;fill:#1f2328}
.ktm-time .title{font-size:20px;font-weight:bold}
.ktm-time .headline{font-size:15px;font-weight:bold}
.ktm-time .panel{font-size:13px;font-weight:bold}
.ktm-time .name{font-size:12px;font-weight:bold}
.ktm-time .muted{fill:#57606a}
.ktm-time .halo{paint-order:stroke;stroke:#ffffff;stroke-width:3px;stroke-linejoin:round}
.ktm-time .strong{font-weight:bold}
.ktm-time .on-dark{fill:#ffffff;font-weight:bold}
.ktm-time .paper{fill:#ffffff}
.ktm-time .rule{stroke:#d0d7de;stroke-width:1}
.ktm-time .grid{stroke:#e4e8ec;stroke-width:1}
.ktm-time .axis{stroke:#57606a;stroke-width:1;fill:none}
.ktm-time .leader{stroke:#8c959f;stroke-width:1}
.ktm-time .band{fill:#e3e3e3}
.ktm-time .band-edge{stroke:#1f2328;stroke-width:1;stroke-dasharray:4 3}
.ktm-time .funnel{stroke:#8c959f;stroke-width:1;stroke-dasharray:2 3;fill:none}
.ktm-time .gap{fill:#ffffff}
.ktm-time .counter{fill:#d7e3f0;stroke:#2f5f8f;stroke-width:1}
.ktm-time .arrow{stroke:#1f2328;stroke-width:1.2;fill:none}
.ktm-time .arrow-head{fill:#1f2328}
.ktm-time rect.quiet{fill:#ffffff;stroke:#8c959f}
.ktm-time rect.step{fill:#dbe7f5;stroke:#2f5f8f}
.ktm-time rect.running{fill:url(#ktm-running);stroke:#1a7f37;stroke-width:1.5}
.ktm-time rect.away{fill:#ffffff;stroke:#57606a;stroke-dasharray:3 3}
.ktm-time rect.dark{fill:#14171a;stroke:#14171a}
.ktm-time rect.held{fill:url(#ktm-held);stroke:#9a6700;stroke-width:1.5}
.ktm-time rect.commit{fill:#eadcff;stroke:#6639ba;stroke-width:3}
.ktm-time rect.good{fill:#eef8f0;stroke:#1a7f37;stroke-width:2.5}
.ktm-time rect.bad{fill:url(#ktm-bad);stroke:#cf222e;stroke-width:2}
.ktm-time rect.unknown{fill:url(#ktm-unknown);stroke:#57606a;stroke-dasharray:6 2}
.ktm-time path.quiet,.ktm-time path.step{fill:#57606a}
.ktm-time path.running,.ktm-time path.good{fill:#1a7f37}
.ktm-time path.dark{fill:#14171a}
.ktm-time path.commit{fill:#6639ba}
.ktm-time path.held{fill:#9a6700}
.ktm-time path.bad{fill:none;stroke:#cf222e;stroke-width:2.5}
.ktm-time path.unknown,.ktm-time path.away{fill:#ffffff;stroke:#57606a}
.ktm-time g.picked rect,.ktm-time g.picked path{stroke:#0969da;stroke-width:3}
</style>
<defs>
<pattern id="ktm-running" width="6" height="6" patternUnits="userSpaceOnUse">
<rect width="6" height="6" style="fill:#dcf3e1;stroke:none"/>
<path d="M0 3H6" style="stroke:#a5d8b1;stroke-width:1.5;fill:none"/></pattern>
<pattern id="ktm-held" width="7" height="7" patternUnits="userSpaceOnUse">
<rect width="7" height="7" style="fill:#fff3cf;stroke:none"/>
<path d="M-1 6L1 8M-1 -1L8 8M6 -1L8 1" style="stroke:#9a6700;stroke-width:1.6;fill:none"/></pattern>
<pattern id="ktm-bad" width="8" height="8" patternUnits="userSpaceOnUse">
<rect width="8" height="8" style="fill:#ffebe9;stroke:none"/>
<path d="M0 0L8 8M8 0L0 8" style="stroke:#cf222e;stroke-width:1;fill:none"/></pattern>
<pattern id="ktm-unknown" width="6" height="6" patternUnits="userSpaceOnUse">
<rect width="6" height="6" style="fill:#ffffff;stroke:none"/>
<circle cx="2" cy="2" r="1" style="fill:#8c959f"/></pattern>
</defs>
)";

}  // namespace

std::string picture_style() {
    return std::string{picture_rules};
}

}  // namespace ktm::timeline
