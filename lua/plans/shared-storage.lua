-- SPDX-License-Identifier: Apache-2.0
--- Moves a guest to another node: its RAM and its devices; the disks stay on shared storage.
---
--- The guest's addresses are diverted to the destination while it still runs here, so that nothing
--- is left behind when it stops; what comes there too early is held, in order, until it runs again.
--- The one instant in which the guest changes its owner is the state `yours`, or `lend` where it
--- goes before its RAM: until then every trouble ends with the guest here, and from then on it is
--- never started here again.
local anew = require "anew"
local cutover = require "cutover"
local downtime = require "downtime"
local guest = require "guest"
local postcopy = require "postcopy"
local preflight = require "preflight"
local secure = require "secure"
local watch = require "progress"

--- What the destination says when it waits.
local function note_place(m, event)
  m.note.uri, m.note.disks, m.note.again = event.data.uri, event.data.disks, event.data.again
end

return plan {
  name = "shared-storage", api = 1,
  summary = "Move a guest to another node; its disks stay where they are.",

  vars = {
    qmp          = var.path     { doc = "QMP socket of the VM on this node." },
    dest_ip      = var.ip       { role = "source", doc = "Address of the destination." },
    listen_ip    = var.ip       { role = "dest", doc = "Address at which the destination waits." },
    peer_port    = var.int      { 4445, min = 1, max = 65535, doc = "Where the two plans meet." },
    ram_port     = var.int      { 4444, min = 1, max = 65535, role = "dest",
      doc = "Where RAM is received." },
    vm_ip        = var.ips      { agree = true, doc = "Addresses of the guest." },
    tap          = var.ifname   { "tap0_kata", role = "dest", doc = "The guest's tap." },
    netns        = var.path     { optional = true, doc = "Network namespace of the tap." },
    tunnel       = var.enum     { "gre", "ipip", "vxlan", agree = true,
      doc = "How diverted packets travel." },
    mtu          = var.int      { 1500, min = 1280, max = 65000, agree = true,
      doc = "The guest's largest packet." },
    wrapped      = var.bool     { true, agree = true,
      doc = "Whether a gre lies inside; a vxlan for IPv4 can do without." },
    encrypt      = var.bool     { true, agree = true,
      doc = "Whether RAM and disks cross the network under TLS." },
    pps          = var.int      { 20000, min = 1, role = "dest",
      doc = "Packets a second for the guest, at most." },
    pause        = var.duration { "500ms", min = "1ms", role = "dest",
      doc = "How long they may have to be held." },
    downtime     = var.duration { "25ms", min = "1ms", max = "1min", role = "source",
      doc = "How long the guest should stand, at most." },
    downtime_max = var.duration { "300ms", min = "1ms", max = "1min", role = "source",
      doc = "How long it may stand once its packets are diverted." },
    auto_downtime = var.bool    { false, role = "source",
      doc = "Whether twice the time to the destination and back is added to both." },
    converge     = var.duration { "10min", min = "1s", role = "source",
      doc = "How long the copy may go on behind its first pass until it is said to be endless." },
    unconverged  = var.enum     { "abort", "wait", "darker", "postcopy", agree = true,
      doc = "What becomes of it then; with darker the guest stands for longer, with postcopy it " ..
        "goes first, and the rest of its RAM follows." },
    darkest      = var.duration { "2s", min = "1ms", max = "4s", agree = true,
      doc = "For how long, at most." },
    channels     = var.int      { 1, min = 1, max = 255, agree = true,
      doc = "Connections for RAM; more than one where one is slower than the link." },
    bandwidth    = var.rate     { "10GB/s", min = "1MB/s", role = "source",
      doc = "Ceiling of the copy; above the link's speed is best." },
    divert_at    = var.size     { "16MiB", role = "source",
      doc = "Divert when less RAM than this is left." },
    cutover      = var.enum     { "strict", "fast", role = "source",
      doc = "When the guest stands too early: begin again, or go on and lose packets." },
    attempts     = var.int      { 3, min = 1, max = 10, role = "source",
      doc = "How often to begin, at most." },
    start        = var.path     { optional = true, role = "dest",
      doc = "Program that starts the QEMU that waits; it is run to begin again." },
    patience     = var.duration { "1h", min = "1s", doc = "How long the copy may take." },
    alive        = var.duration { "3s", min = "100ms", max = "1min", agree = true,
      doc = "How long the guest is looked at when it runs at the destination." },
    drained      = var.duration { "1min", min = "2s", role = "source",
      doc = "How long to wait until the tunnel is quiet." },
  },
  relations = { ascending { "downtime", "downtime_max", "darkest" },
    ascending { "alive", "drained" } },

  role "source" { peer_to = var "dest_ip", peer_port = var "peer_port",
    looks = function(m) preflight.source(m); postcopy.looks(m) end,

    state "prepare" { within = "30s",
      enter = function(m)
        guest.enable(m, "events", "pause-before-switchover", "auto-converge")
        postcopy.allow(m)
        guest.set(m, { ["max-bandwidth"] = m.bandwidth, ["downtime-limit"] = 1 })
        guest.channels(m)
        secure.offer(m)
        m:undo("wake the guest", qmp.wake, { within = "30s" })
        m.note.tunnel = net.tunnel { to = m.dest_ip, mode = m.tunnel, mtu = m.mtu,
          wrapped = m.wrapped, netns = m.netns }
        m.note.path = net.divert { m.vm_ip, into = m.note.tunnel, mtu = m.mtu, netns = m.netns }
        m.note.dirties = guest.dirties()
      end,
      on { "peer:ready", go = "copy", run = note_place } },

    state "copy" { within = var "patience",
      enter = function(m)
        cutover.begin(m)
        downtime.choose(m)
        qmp("migrate", { uri = m.note.uri }, { within = "5s" })
        watch.begin(m, { nearly = m.divert_at, dark = m.note.dark, dirty = m.note.dirties,
          limit = m.bandwidth, stalled = 10000, converge = m.converge })
      end,
      on { "timer:progress", run = watch.look },
      on { "progress:nearly", go = "hold" },
      on { "progress:stalled", go = "abort" },
      on { "progress:unconverged", run = downtime.unconverged },
      on { "downtime:rest", go = "hold" },
      on { "MIGRATION", status = "pre-switchover", run = cutover.early },
      on { "cutover:late", how = "again", go = "back" },
      on { "cutover:late", how = "on", go = "hold" },
      on { "MIGRATION", status = "failed", go = "abort" } },

    -- From the answer on the destination holds what comes.
    state "hold" { within = "3s",
      enter = function() timer.cancel("progress"); peer.send("hold") end,
      on { "peer:holds", go = "divert" },
      on { "MIGRATION", status = "pre-switchover", run = cutover.early },
      on { "cutover:late", how = "again", go = "back" },
      on { "MIGRATION", status = "failed", go = "abort" } },

    -- The guest still runs.
    state "divert" { within = "8s",
      enter = function(m)
        if cutover.divert(m) then downtime.allow(m) end
      end,
      on { "MIGRATION", status = "pre-switchover", go = "switchover" },
      on { "cutover:diverted", go = "switchover" },
      on { "timer:ends", run = downtime.look },
      on { "downtime:stands", go = "switchover" },
      on { "cutover:late", how = "again", go = "back" },
      on { "MIGRATION", status = "failed", go = "abort" } },

    -- Nothing is diverted yet: the guest goes on here, and the destination prepares itself anew.
    state "back" { within = "10s", next = "again",
      enter = function() timer.cancel("progress"); qmp.wake(); peer.send("again") end },

    state "again" { within = "2min",
      on { "peer:ready", go = "copy", run = note_place } },

    -- The guest stands, here and there.
    state "switchover" { within = "5s",
      enter = function(m)
        timer.cancel("ends")
        if m.note.rest then return peer.send("lend") end
        qmp("migrate-continue", { state = "pre-switchover" })
      end,
      on { "peer:borrows", go = "lend" },
      on { "peer:loaded", run = function(m) m.note.loaded = true end },
      on { "MIGRATION", status = "completed", go = "handover" },
      on { "MIGRATION", status = "failed", go = "abort" } },

    state "handover" { within = "5s",
      enter = function(m) if m.note.loaded then emit("handover:loaded") end end,
      on { "handover:loaded", go = "yours" },
      on { "peer:loaded", go = "yours" } },

    state "yours" { within = "10s", commits = true,
      enter = function() peer.send("yours") end,
      on { "qmp:lost", run = guest.is_away },
      on { "peer:resumed", go = "drain" } },

    -- Behind the devices the source's QEMU cannot take the guest back: what is asked for by
    -- `unconverged` commits before.
    state "lend" { within = "1min", commits = true,
      enter = function() qmp("migrate-continue", { state = "pre-switchover" }) end,
      on { "peer:loaded", go = "lent" },
      on { "MIGRATION", status = "failed", go = "stranded" } },

    state "lent" { within = "10s",
      enter = postcopy.give,
      on { "peer:resumed", go = "rest" } },

    state "rest" { within = var "patience",
      enter = postcopy.watch,
      on { "timer:postcopy", run = postcopy.look },
      on { "peer:alive", run = function(m) m.note.lives = true end },
      on { "peer:fallen", run = guest.has_fallen },
      on { "postcopy:whole", go = "drain" } },

    -- Until the guest is known to live, and nobody sends through the tunnel any more: then the
    -- network knows the new place.
    state "drain" { within = var "drained", late = "done",
      enter = function(m) m.note.seen = -1; timer.every("1s", "quiet") end,
      on { "qmp:lost", run = guest.is_away },
      on { "timer:quiet", run = function(m)
        local sent = net.link { m.note.tunnel, netns = m.netns }.counters.tx_packets
        if sent == m.note.seen and m.note.lives then emit("tunnel:quiet") end
        m.note.seen = sent
      end },
      on { "peer:alive", run = function(m) m.note.lives = true end },
      on { "peer:fallen", run = guest.has_fallen },
      on { "tunnel:quiet", go = "done" } },
  },

  role "dest" { peer_from = var "listen_ip", peer_port = var "peer_port",
    looks = function(m) preflight.dest(m); postcopy.looks(m) end,

    -- QEMU waits here: -incoming defer -S.
    state "prepare" { within = "30s",
      enter = function(m)
        m.note.waits = anew.must_end(m)
        local is_longer = m.unconverged == "darker" or m.unconverged == "postcopy"
        local pause = is_longer and math.max(m.pause, m.darkest) or m.pause
        m.note.hold = net.hold { m.tap, rate = m.pps, pause = pause, netns = m.netns }
        net.tunnel { to = peer.address(), from = peer.own_address(), mode = m.tunnel,
          mtu = m.mtu, wrapped = m.wrapped, netns = m.netns }
        net.arrive { m.vm_ip, tap = m.tap, mac = guest.mac(), netns = m.netns }
      end,
      next = "listen" },

    state "listen" { within = "10s",
      enter = function(m)
        qmp.enable("events", "late-block-activate")
        postcopy.expect(m)
        guest.channels(m)
        secure.expect(m)
        local uri = guest.uri(peer.own_address(), m.ram_port)
        qmp("migrate-incoming", { uri = uri })
        m.note.uri = uri
      end,
      next = "waiting" },

    state "waiting" { within = var "patience",
      enter = function(m)
        peer.send("ready", { uri = m.note.uri, disks = m.note.disks, again = m.start ~= nil })
      end,
      on { "peer:hold", go = "holding" },
      on { "peer:again", go = "anew", run = anew.is_wanted },
      on { "qmp:lost", go = "anew", run = anew.is_lost },
      on { "MIGRATION", status = "failed", go = "anew", run = anew.has_failed } },

    state "holding" { within = "30s",
      enter = function(m) m.note.hold.block(); peer.send("holds") end,
      on { "MIGRATION", status = "completed", go = "loaded" },
      on { "peer:lend", go = "borrow" },
      on { "peer:again", go = "anew", run = anew.is_wanted },
      on { "qmp:lost", go = "anew", run = anew.is_lost },
      on { "MIGRATION", status = "failed", go = "anew", run = anew.has_failed } },

    -- The source gives its guest away before it is here, and takes it back no more.
    state "borrow" { within = "30s", late = "stranded",
      enter = function(m) m.note.rest = true; m.note.waits.drop(); peer.send("borrows") end,
      on { "MIGRATION", status = "postcopy-active", go = "devices" },
      on { "MIGRATION", status = "completed", go = "devices" },
      on { "qmp:lost", run = function() end },
      on { "peer:ended", how = "aborted", go = "abort", run = anew.must_end },
      on { "peer:ended", go = "stranded" },
      on { "peer:lost", go = "stranded" } },

    -- The rest of its RAM comes behind them.
    state "devices" { within = "20s", late = "stranded", next = "loaded", enter = postcopy.arrive },

    -- A QEMU that has begun to take a guest cannot begin anew; another one can.
    state "anew" { within = "10s",
      enter = function(m) m.note.hold.open() end,
      on { "peer:again", run = anew.is_wanted },
      on { "qmp:lost", run = anew.is_lost },
      on { "anew:start", go = "restart" } },

    state "restart" { within = "1min", next = "listen",
      enter = anew.start },

    -- All of the guest is here, and whether it is ours only the source can say: when that falls
    -- silent now, a person must.
    state "loaded" { within = "15s", late = "stranded",
      enter = function(m)
        if not m.note.rest then m.note.waits.drop() end
        peer.send("loaded")
      end,
      on { "peer:yours", go = "resume" },
      on { "peer:ended", how = "aborted", go = "abort", run = anew.must_end },
      on { "peer:ended", go = "stranded" },
      on { "peer:lost", go = "stranded" } },

    state "resume" { within = "5s", commits = true,
      enter = function() qmp("cont") end,
      on { "RESUME", go = "lives" } },

    -- QEMU calls a migration completed whose guest falls over in the next second.
    state "lives" { within = "2min",
      enter = function(m)
        peer.send("resumed")
        m.note.hold.open()
        timer.after(m.alive, "alive")
        guest.announce()
      end,
      on { "RESET", guest = true, run = guest.falls },
      on { "GUEST_PANICKED", run = guest.falls },
      on { "SHUTDOWN", run = guest.falls },
      on { "qmp:lost", run = guest.falls },
      on { "peer:ended", run = function(m) m.note.alone = true end },
      on { "peer:lost", run = function(m) m.note.alone = true end },
      on { "timer:alive", run = guest.lives },
      on { "guest:lives", go = "whole" } },

    state "whole" { within = var "patience",
      enter = postcopy.watch,
      on { "timer:postcopy", run = postcopy.look },
      on { "qmp:lost", run = guest.falls },
      on { "peer:ended", run = function(m) m.note.alone = true end },
      on { "peer:lost", run = function(m) m.note.alone = true end },
      on { "postcopy:whole", go = "serve" } },

    state "serve" { within = var "patience", late = "done",
      enter = function(m)
        secure.finish(m)
        postcopy.forget(m)
        if not m.note.alone then peer.send("alive") end
        -- To make the ring short again would lose packets: it stays, as long as the tap does.
        m.note.hold.finish()
        if m.note.alone then emit("serve:alone") end
      end,
      on { "serve:alone", go = "done" },
      on { "peer:ended", go = "done" },
      on { "peer:lost", go = "done" } },
  },
}
