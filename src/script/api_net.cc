// SPDX-License-Identifier: Apache-2.0
// script/api_net.cc: the words of the kernel's side, described.
#include "script/api_topics.hh"

namespace ktm::script {

namespace {

constexpr Parameter netns_option = {
    ".netns", "string?", "The namespace: a path, or a name of `ip netns`; our own without it."};

// --- Tunnels and diversions
// -----------------------------------------------------------------------

constexpr Parameter tunnel_parameters[] = {
    {"options", "table", "The tunnel."},
    {".to", "string", "The address of the other node."},
    {".from", "string?", "Ours; without it the one that the kernel would take."},
    {".mode", "\"ipip\"|\"gre\"|\"vxlan\"?",
     "What the network sees; \"gre\" without it. Of ipip there can be one between two nodes."},
    {".wrapped", "boolean?",
     "Whether a gre lies inside, which carries packets of full size; true without it. Both ends "
     "must say the same."},
    {".frames", "boolean?", "It carries Ethernet frames, for a bridged guest."},
    {".mtu", "integer?", "The largest packet of the guest; 1500 without it."},
    {".ttl", "integer?", "Of the outer packets; 64 without it."},
    {".id", "integer?",
     "Tells tunnels of the same two nodes apart; 0 without it. Both ends must say the same."},
    {".port", "integer?", "Of a vxlan; 4789 without it."},
    netns_option,
};
constexpr Parameter divert_parameters[] = {
    {"options", "table", "The diversion: of addresses, or of frames."},
    {"[integer]", "string|string[]", "Addresses of the guest."},
    {".into", "string|ktm.Tunnel", "Where they are sent."},
    {".table", "integer?", "The routing table; the main one without it."},
    {".mtu", "integer?", "The largest packet of the guest; 1500 without it."},
    {".on", "string?", "For frames: the device at which they are caught."},
    {".mac", "string?", "For frames: the guest's address; all frames without it."},
    {".incoming", "boolean?", "For frames: those that come in there, not those that leave."},
    netns_option,
};
constexpr Parameter arrive_parameters[] = {
    {"options", "table", "The way."},
    {"[integer]", "string|string[]", "Addresses of the guest."},
    {".tap", "string", "The guest's tap on this node."},
    {".mac", "string", "The guest's Ethernet address."},
    {".table", "integer?", "The routing table; the main one without it."},
    netns_option,
};
constexpr Parameter neighbour_parameters[] = {
    {"options", "table", "The neighbours."},
    {"[integer]", "string|string[]", "Their addresses."},
    {".mac", "string", "Their Ethernet address."},
    {".on", "string", "The device that leads to them."},
    netns_option,
};
constexpr Parameter announce_parameters[] = {
    {"options", "table", "What is announced."},
    {"[integer]", "string|string[]", "Addresses of the guest."},
    {".mac", "string", "Its Ethernet address."},
    {".on", "string", "The device on which it is said."},
    netns_option,
};

// --- Holds
// ------------------------------------------------------------------------------------------

constexpr Parameter hold_parameters[] = {
    {"options", "table", "The hold."},
    {"[1]", "string", "The guest's tap, which QEMU has open."},
    {".rate", "integer", "How many packets come in a second."},
    {".pause", "ktm.Duration", "How long the guest stands still."},
    {".margin", "number?", "How much more must fit than rate and pause say; 2 without it."},
    {".mode", "\"auto\"|\"ring\"|\"plug+ring\"?",
     "What holds; \"auto\", without it, takes a plug where the kernel has one."},
    {".packet", "integer?", "The largest frame in bytes; 1514 without it."},
    {".ring", "integer?", "The length of the ring, instead of what follows from rate and pause."},
    {".limit", "integer|string?", "The same for the plug, in bytes: \"20MB\"."},
    {".small", "boolean?", "It may hold less than rate and pause ask for."},
    {".pace", "integer?", "How many packets a second are let go; four times the rate without it."},
    {".at_most", "ktm.Duration?",
     "How long the plug may be blocked, until the guard opens it; \"30s\" without it, and never "
     "less than the pause."},
    netns_option,
};

// --- Questions
// --------------------------------------------------------------------------------------

constexpr Parameter link_parameters[] = {
    {"options", "table", "Which."},
    {"[1]", "string|ktm.Tunnel", "The device."},
    netns_option,
};
constexpr Parameter where_parameters[] = {
    {"options", "table?", "Where."},
    netns_option,
};
constexpr Parameter addresses_parameters[] = {
    {"options", "table?", "Which."},
    {".on", "string?", "Those of this device; all without it."},
    netns_option,
};
constexpr Parameter way_parameters[] = {
    {"options", "table", "Where to."},
    {".to", "string", "An address."},
    netns_option,
};
constexpr Parameter setting_parameters[] = {
    {"options", "table", "Which."},
    {"[1]", "string", "The setting, as below /proc/sys/net."},
    netns_option,
};
constexpr Parameter kind_parameters[] = {
    {"options", "table", "Which."},
    {"[1]", "string",
     "\"ipip\", \"gre\", \"gretap\", \"ip6tnl\", \"ip6gre\", \"ip6gretap\", \"vxlan\", \"plug\" or "
     "\"tbf\"."},
    netns_option,
};
constexpr Parameter watch_parameters[] = {
    {"options", "table?", "What is watched."},
    {".on", "string?", "One device; all without it."},
    netns_option,
};

constexpr Word net_words[] = {
    {.name = "net.tunnel",
     .parameters = tunnel_parameters,
     .returns = "ktm.Tunnel tunnel: a hold: given back at the end, unless stranded",
     .errors = "`invalid` `bad-argument`, `bad-address`: an option is missing, unknown or of "
               "another type.\n"
               "`refused` `no-route`, `no-source`, `mixed-families`, `bad-ends`, `bad-mtu`, "
               "`no-frames`: these two nodes cannot have it; the text says why.\n"
               "`io`, with the kernel's code: the kernel refused. EOPNOTSUPP: it has no such "
               "tunnels.\n"
               "`timeout` `no-answer`: the kernel did not answer, and what may have been done "
               "was taken back; all words of `net` can fail so.",
     .contexts = in_actions,
     .waits = true,
     .since = 1,
     .doc =
         "Makes one end of a tunnel to another node, and lets in what comes out of it. The other "
         "end makes its own, with the two addresses swapped. Its device has a name that no other "
         "migration has, and a tag by which it is found when we are gone.",
     .example = R"(m.note.tunnel = net.tunnel { mode = "gre", to = "192.0.2.7" })"},
    {.name = "net.divert",
     .parameters = divert_parameters,
     .returns = "ktm.Diversion diversion: a hold: given back at the end, unless stranded",
     .errors = "`invalid` `bad-argument`, `bad-address`, `bad-mac`: an option is missing, "
               "unknown or of another type; or the tunnel does not carry the guest's packets "
               "in full size.\n"
               "`refused` `diverted`, `no-room`, `ENODEV`: it is diverted already, something "
               "stands before it that must not be moved, or there is no such device.\n"
               "`io`, with the kernel's code: the kernel refused.\n"
               "`usage` `given-back`: `turn` of one that was released.",
     .contexts = in_actions,
     .waits = true,
     .since = 1,
     .doc = "Prepares to send what is for a guest elsewhere. Nothing is changed yet: `turn` does "
            "that, by one message to the kernel. The routes that are there stay, behind ours. "
            "Frames of a bridged guest are redirected by a filter before all others.",
     .example = R"(local path = net.divert { "10.1.2.3", into = "eth1" }
path.turn())"},
    {.name = "net.arrive",
     .parameters = arrive_parameters,
     .returns = "ktm.Handle way: undone on abort; the commit keeps it",
     .errors = "`invalid` `bad-argument`, `bad-address`, `bad-mac`: an option is missing, "
               "unknown or of another type.\n"
               "`refused` `diverted`, `no-room`, `ENODEV`: as in `net.divert`.\n"
               "`refused` `no-forwarding`: this node forwards no IPv6.\n"
               "`io`, with the kernel's code: the kernel refused.",
     .contexts = in_actions,
     .waits = true,
     .since = 1,
     .doc = "Leads a guest's addresses to its tap on this node, and makes it a neighbour for good: "
            "a guest that stands still does not answer when somebody asks for its address.",
     .example = R"(net.arrive { "10.1.2.3", tap = "tap0", mac = "02:aa:00:00:00:01" })"},
    {.name = "net.neighbour",
     .parameters = neighbour_parameters,
     .returns = "ktm.Handle neighbour: a hold: given back at the end, unless stranded",
     .errors = "As `net.arrive`.",
     .contexts = in_actions,
     .waits = true,
     .since = 1,
     .doc = "Makes neighbours known for good.",
     .example = R"(net.neighbour { "10.1.2.3", mac = "02:aa:00:00:00:01", on = "tap0" })"},
    {.name = "net.announce",
     .parameters = announce_parameters,
     .errors = "`invalid` `bad-argument`, `bad-address`, `bad-mac`: an option is missing, "
               "unknown or of another type.\n"
               "`io`, with the kernel's code: the frames could not be sent.",
     .contexts = in_actions,
     .since = 1,
     .doc = "Says once where a guest is: a RARP for bridges, and for each address a gratuitous ARP "
            "or an unsolicited neighbour advertisement.",
     .example = R"(net.announce { "10.1.2.3", mac = "02:aa:00:00:00:01", on = "eth1" })"},
    {.name = "net.hold",
     .parameters = hold_parameters,
     .returns = "ktm.Hold hold: a hold: given back at the end, unless stranded",
     .errors = "`invalid` `bad-argument`, `bad-duration`, `bad-quantity`: an option is "
               "missing, unknown or of another type.\n"
               "`refused` `too-little`: what was given as `ring` or `limit` holds less than "
               "rate and pause ask for.\n"
               "`refused` `too-large`: rate and pause ask for more than a million packets.\n"
               "`refused` `no-tap`, `no-reader`, `held`, `no-way-back`, `ENODEV`: this device "
               "cannot hold; the text says why. With `auto`, a former qdisc that could not be "
               "put back means the ring alone.\n"
               "`io`, with the kernel's code: the kernel refused.\n"
               "`usage` `given-back`: `block` of one that was released.",
     .contexts = in_actions,
     .waits = true,
     .since = 1,
     .doc = "Sizes what keeps packets while the guest stands still: the ring of its tap, "
            "and a plug above it where the kernel has one. Everything passes until "
            "`block`. When a hold has lost packets, the last line of the run says so. When "
            "it stays, because the run is stranded, its plug is opened.",
     .example = R"(m.note.hold = net.hold { "tap0", rate = 20000, pause = "300ms" }
log.info("room for %d packets", m.note.hold.capacity))"},
    {.name = "net.link",
     .parameters = link_parameters,
     .returns = "ktm.Link? link: nil when there is no such device",
     .errors = "`invalid` `bad-argument`, `bad-address`: an option is missing, unknown or of "
               "another type.\n"
               "`io`, with the kernel's code: the kernel refused, or there is no such "
               "namespace.",
     .contexts = in_all_bodies,
     .waits = true,
     .since = 1,
     .doc = "What a device is, and what it has counted.",
     .example = R"(log.info("%d packets so far", net.link { "tap0" }.counters.tx_packets))"},
    {.name = "net.links",
     .parameters = where_parameters,
     .returns = "ktm.Link[] links: all devices",
     .errors = "As `net.link`.",
     .contexts = in_all_bodies,
     .waits = true,
     .since = 1,
     .doc = "All devices of a namespace.",
     .example = R"(log.info("%d devices", #net.links()))"},
    {.name = "net.taps",
     .parameters = where_parameters,
     .returns = "ktm.Link[] taps: those devices that are taps",
     .errors = "As `net.link`.",
     .contexts = in_all_bodies,
     .waits = true,
     .since = 1,
     .doc = "The taps of a namespace: how the guest's is found in the sandbox of Kata Containers.",
     .example = R"(for _, tap in ipairs(net.taps()) do
  log.info("%s is %s", tap.name, tap.carrier and "open" or "not open")
end)"},
    {.name = "net.addresses",
     .parameters = addresses_parameters,
     .returns = "ktm.Address[] addresses: those of the devices",
     .errors = "As `net.link`.",
     .contexts = in_all_bodies,
     .waits = true,
     .since = 1,
     .doc = "The addresses of this node.",
     .example =
         R"(for _, ours in ipairs(net.addresses { on = "eth1" }) do
  log.info("%s", ours.address)
end)"},
    {.name = "net.way",
     .parameters = way_parameters,
     .returns = "ktm.Way? way: nil when there is none",
     .errors = "As `net.link`.",
     .contexts = in_all_bodies,
     .waits = true,
     .since = 1,
     .doc = "The route that a packet to an address would take.",
     .example = R"(local way = net.way { to = "192.0.2.7" }
if way then log.info("through %s", way.on) end)"},
    {.name = "net.form",
     .parameters = tunnel_parameters,
     .returns = "ktm.Form form: what such a tunnel would be",
     .errors = "As `net.tunnel`, and nothing is made.",
     .contexts = in_all_bodies,
     .waits = true,
     .since = 1,
     .doc = "What `net.tunnel` would make of these options, and what that would carry.",
     .example = R"(local form = net.form { to = "192.0.2.7", mode = "gre" }
log.info("%d bytes of IPv4", form.v4))"},
    {.name = "net.setting",
     .parameters = setting_parameters,
     .returns = "string value: what it is",
     .errors = "As `net.link`.",
     .contexts = in_all_bodies,
     .waits = true,
     .since = 1,
     .doc = "A setting of a namespace.",
     .example = R"(log.info("forwarding: %s", net.setting { "ipv4/ip_forward" }))"},
    {.name = "net.queues",
     .parameters = link_parameters,
     .returns = "ktm.Queue[] queues: the qdiscs of a device",
     .errors = "As `net.link`; `ENODEV` when there is no such device.",
     .contexts = in_all_bodies,
     .waits = true,
     .since = 1,
     .doc = "What queues a device has, and whether they are a hold of katamaran.",
     .example = R"(for _, queue in ipairs(net.queues { "tap0" }) do
  log.info("%s", queue.kind)
end)"},
    {.name = "net.knows",
     .parameters = kind_parameters,
     .returns = "string word: \"there\", \"loadable\" or \"none\"",
     .errors = "As `net.link`; `EPERM` when katamaran may not change the network.",
     .contexts = in_all_bodies,
     .waits = true,
     .since = 1,
     .doc =
         "Whether the kernel has tunnels, or for plug and tbf queues, of a kind. Nothing is made "
         "for it. Where a module for it lies on the disk and is not loaded it is \"loadable\", and "
         "is not loaded for the answer.",
     .example = R"(if net.knows { "plug" } == "none" then log.warn("the ring holds alone") end)"},
    {.name = "net.watch",
     .parameters = watch_parameters,
     .returns = "ktm.Handle watch: its release() ends it, and so does the end of the run",
     .errors = "`invalid` `bad-argument`: an option is unknown, or there are 16 watches "
               "already.\n"
               "`io`, with the kernel's code: the kernel refused, or there is no such "
               "namespace.",
     .contexts = in_actions,
     .waits = false,
     .since = 1,
     .doc = "Makes events of what changes, whoever changes it: `net:link` (`link`, `gone`, "
            "`up`, `carrier`, `mtu`, `queue_length`), `net:route` (`link`, `gone`, `to`, "
            "`via`), `net:qdisc` (`link`, `gone`, `kind`), `net:neighbour` (`link`, "
            "`gone`, `address`). `net:overrun` says that some were lost, also when an "
            "action has let 512 of them wait; `net:end` that no more will come.",
     .example = R"(net.watch { on = "tap0" })"},
};

constexpr Parameter tunnel_fields[] = {
    {"what", "string", "What it is, for people."},
    {"name", "string", "Its device."},
    {"from", "string", "The address of this end."},
    {"carries", "table",
     "`v4` and `v6`: the largest packet, of those that this node forwards, that gets through; 0: "
     "none of this family."},
    {"release", "fun()", "Removes it."},
};
constexpr Parameter diversion_fields[] = {
    {"what", "string", "What it is, for people."},
    {"turn", "fun()", "Diverts; one message to the kernel."},
    {"back", "fun()", "Ends it; it can be turned again."},
    {"release", "fun()", "Ends it for good."},
};
constexpr Parameter hold_fields[] = {
    {"what", "string", "What it is, for people."},
    {"capacity", "integer", "How many packets of the largest size it holds."},
    {"needed", "integer", "How many rate, pause and margin ask for."},
    {"ring", "integer", "The length of the ring."},
    {"limit", "integer", "Of the plug, in bytes; 0 without one."},
    {"plug", "boolean", "Whether there is a plug."},
    {"block", "fun()", "From here on the plug holds; without a plug nothing happens."},
    {"open", "fun()", "The plug lets go, at the hold's pace."},
    {"counts", "fun():ktm.HoldCounts", "What it did so far."},
    {"finish", "fun():ktm.HoldCounts",
     "Opens, waits until all have gone, and lets what it is made of stay on the tap, where all "
     "passes: nothing is lost. For the end of a migration that went well."},
    {"release", "fun():ktm.HoldCounts",
     "The same, and puts everything back. The kernel drops what comes in the very moment in which "
     "a queue is changed, and counts it nowhere: not under traffic."},
};
constexpr Parameter count_fields[] = {
    {"taken", "integer", "Packets that the guest's QEMU took from the tap."},
    {"queued", "integer", "In the plug, now."},
    {"queued_most", "integer", "The most that was seen there."},
    {"dropped_plug", "integer", "What did not fit into the plug."},
    {"dropped_ring", "integer", "What did not fit into the ring."},
    {"left", "integer", "What nobody took, and was given up."},
    {"lost", "integer", "The sum of the last three."},
    {"guarded", "boolean", "The guard had to open the plug."},
};
constexpr Parameter link_fields[] = {
    {"name", "string", "Of the device."},
    {"kind", "string", "\"vxlan\", \"tun\", \"veth\"; empty for hardware."},
    {"tag", "string", "Its alias."},
    {"mac", "string?", "Its Ethernet address."},
    {"tap", "boolean", "Whether it is a tap."},
    {"up", "boolean", "Whether it is set up."},
    {"carrier", "boolean", "Of a tap: whether a program has it open."},
    {"mtu", "integer", "Its MTU."},
    {"queue_length", "integer", "Of a tap: the length of its ring."},
    {"counters", "table",
     "`rx_` and `tx_` `packets`, `bytes`, `dropped` and `errors`. Of a tap, tx is what its reader "
     "took, and tx_dropped what did not fit into the ring."},
};
constexpr Parameter address_fields[] = {
    {"address", "string", "With the length of its prefix: \"192.0.2.1/24\"."},
    {"on", "string", "Its device."},
};
constexpr Parameter way_fields[] = {
    {"on", "string", "The device."},
    {"via", "string?", "The next node."},
    {"from", "string?", "The address that packets get."},
    {"mtu", "integer?", "Of the route, if it has one of its own."},
};

constexpr Parameter form_fields[] = {
    {"kinds", "string[]", "The kinds of devices that it is made of."},
    {"from", "string", "The address of this end."},
    {"v4", "integer", "The largest packet of IPv4 that gets through; 0: none."},
    {"v6", "integer", "The same of IPv6."},
};
constexpr Parameter queue_fields[] = {
    {"kind", "string", "\"pfifo_fast\", \"tbf\", \"plug\"."},
    {"root", "boolean", "Whether it belongs to no other."},
    {"ours", "boolean", "Whether it is a hold of katamaran."},
};

constexpr NamedType net_types[] = {
    {.name = "ktm.Tunnel", .fields = tunnel_fields, .doc = "One end of a tunnel."},
    {.name = "ktm.Diversion", .fields = diversion_fields, .doc = "A guest's packets, diverted."},
    {.name = "ktm.Hold", .fields = hold_fields, .doc = "What keeps packets for a guest."},
    {.name = "ktm.HoldCounts", .fields = count_fields, .doc = "What a hold did."},
    {.name = "ktm.Link", .fields = link_fields, .doc = "A device."},
    {.name = "ktm.Address", .fields = address_fields, .doc = "An address of a device."},
    {.name = "ktm.Way", .fields = way_fields, .doc = "A route."},
    {.name = "ktm.Form", .fields = form_fields, .doc = "A tunnel that is only thought of."},
    {.name = "ktm.Queue", .fields = queue_fields, .doc = "A qdisc."},
};

}  // namespace

Topic net_topic() {
    return {"net",
            "The kernel's side",
            "Tunnels, diversions and holds. What is acquired here is in the ledger from the start; "
            "`m:hold` is not needed for it, and does no harm. Its undo is written into the journal "
            "before anything is changed, so that `katamaran recover` finds it when we are killed.",
            true,
            net_words,
            net_types};
}

}  // namespace ktm::script
