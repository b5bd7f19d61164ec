// SPDX-License-Identifier: Apache-2.0
// script/api_look.cc: what is looked at before a run begins, described.
#include "script/api_topics.hh"

namespace ktm::script {

namespace {

constexpr Parameter what_parameter{"what", "string", "What it is: \"tap0\", \"memory\"."};
constexpr Parameter saw_parameter{"saw", "string", "What it is like: \"nobody has it open\"."};
constexpr Parameter remedy_parameter{"remedy", "string", "What a person can do about it."};

constexpr Parameter ok_parameters[] = {
    what_parameter,
    saw_parameter,
};
constexpr Parameter bad_parameters[] = {
    what_parameter,
    saw_parameter,
    remedy_parameter,
};
constexpr Parameter unknown_parameters[] = {
    what_parameter,
    {"saw", "string", "Why it is not known."},
    {"remedy", "string?", "What a person can do about it."},
};
constexpr Parameter same_parameters[] = {
    what_parameter,
    {"value", "string|number", "What it is at this node."},
    {"remedy", "string", "What a person can do when it is another there."},
};
constexpr Parameter at_parameters[] = {
    what_parameter,
    {"action", "fun()", "What looks."},
};

constexpr std::string_view finding_errors =
    "`invalid` `bad-argument`: one of them is no text.\n"
    "`invalid` `runaway`: there are 500 findings already.";

constexpr Word look_words[] = {
    {.name = "look.ok",
     .parameters = ok_parameters,
     .errors = finding_errors,
     .contexts = in_looks,
     .waits = false,
     .since = 1,
     .doc = "This is as it must be. A run keeps it in its recording alone.",
     .example = R"(look.ok("tap0", "a QEMU has it open"))"},
    {.name = "look.warn",
     .parameters = bad_parameters,
     .errors = finding_errors,
     .contexts = in_looks,
     .waits = false,
     .since = 1,
     .doc = "This is told, and is no reason not to begin.",
     .example = R"(look.warn("kernel", "it has no plug", "load sch_plug"))"},
    {.name = "look.bad",
     .parameters = bad_parameters,
     .errors = finding_errors,
     .contexts = in_looks,
     .waits = false,
     .since = 1,
     .doc = "With this the run does not begin. The looks go on, so that all is told at once.",
     .example = R"(local link = net.link { "tap0" }
if not link then look.bad("tap0", "there is no such interface", "see --var tap=") end)"},
    {.name = "look.unknown",
     .parameters = unknown_parameters,
     .errors = finding_errors,
     .contexts = in_looks,
     .waits = false,
     .since = 1,
     .doc = "This could not be learned. It is told, and is no reason not to begin.",
     .example = R"(look.unknown("clock", "this host has no chrony"))"},
    {.name = "look.same",
     .parameters = same_parameters,
     .errors = finding_errors,
     .contexts = in_looks,
     .waits = false,
     .since = 1,
     .doc = "This must be the same at the other node, whose looks say it under the same name. It "
            "is compared when both have looked; another value is bad, and both are told. What is "
            "said again under a name takes the place of what was said before.",
     .example =
         R"(look.same("guest's CPUs", #qmp("query-cpus-fast"), "start it with the same -smp"))"},
    {.name = "look.alike",
     .parameters = same_parameters,
     .errors = finding_errors,
     .contexts = in_looks,
     .waits = false,
     .since = 1,
     .doc = "As `look.same`, but another value there is only a warning.",
     .example =
         R"(look.alike("kernel", fs.read("/proc/sys/kernel/osrelease"), "take the same one"))"},
    {.name = "look.at",
     .parameters = at_parameters,
     .errors = "Whatever is wrong in the plan itself.",
     .contexts = in_looks,
     .waits = true,
     .since = 1,
     .doc = "Calls the function, and makes a finding of what it raises: unknown when the world "
            "refuses to say, bad when it does not answer. So one look that fails does not hide the "
            "others.",
     .example = R"(look.at("guest", function()
  local status = qmp("query-status").status
  if status == "running" then look.ok("guest", "it runs") end
end))"},
};

}  // namespace

Topic look_topic() {
    return {"look",
            "Looks",
            "What is found before a run begins, in the function `looks` of a role. There only what "
            "asks can be used: `look`, `qmp` with commands that begin with `query-` or `qom-get`, "
            "`qom-list`, the queries of `net`, `fs`, `now`, `sleep` and `log`. All looks of a run "
            "together may take 10 seconds.",
            true,
            look_words,
            {}};
}

}  // namespace ktm::script
