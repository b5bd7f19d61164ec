-- SPDX-License-Identifier: Apache-2.0
--- Moves a guest to another node: its RAM and its devices; the disks stay on shared storage.
---
--- The guest's addresses are diverted to the destination while it still runs here, so that nothing
--- is left behind when it stops; what comes there too early is held, in order, until it runs again.
--- The one instant in which the guest changes its owner is the state `yours`: until then every
--- trouble ends with the guest here, and from then on it is never started here again.
local guest = require "guest"
local watch = require "progress"

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
    pps          = var.int      { 20000, min = 1, role = "dest",
      doc = "Packets a second for the guest, at most." },
    pause        = var.duration { "500ms", min = "1ms", role = "dest",
      doc = "How long they may have to be held." },
    downtime     = var.duration { "25ms", min = "1ms", max = "1min", role = "source",
      doc = "How long the guest should stand, at most." },
    downtime_max = var.duration { "300ms", min = "1ms", max = "1min", role = "source",
      doc = "How long it may stand once its packets are diverted." },
    bandwidth    = var.rate     { "10GB/s", min = "1MB/s", role = "source",
      doc = "Ceiling of the copy; above the link's speed is best." },
    divert_at    = var.size     { "16MiB", role = "source",
      doc = "Divert when less RAM than this is left." },
    patience     = var.duration { "1h", min = "1s", doc = "How long the copy may take." },
    drained      = var.duration { "1min", role = "source",
      doc = "How long to wait until the tunnel is quiet." },
  },
  relations = { ascending { "downtime", "downtime_max" } },

  role "source" { peer_to = var "dest_ip", peer_port = var "peer_port",
    state "prepare" { within = "30s",
      enter = function(m)
        guest.enable(m, "events", "pause-before-switchover", "auto-converge")
        guest.set(m, { ["max-bandwidth"] = m.bandwidth, ["downtime-limit"] = 1 })
        m:undo("wake the guest", qmp.wake, { within = "30s" })
        m.note.tunnel = net.tunnel { to = m.dest_ip, mode = m.tunnel, mtu = m.mtu,
          wrapped = m.wrapped, netns = m.netns }
        m.note.path = net.divert { m.vm_ip, into = m.note.tunnel, mtu = m.mtu, netns = m.netns }
        m.note.dirties = guest.dirties()
      end,
      on { "peer:ready", go = "copy", run = function(m, event)
        m.note.uri, m.note.disks = event.data.uri, event.data.disks
      end } },

    state "copy" { within = var "patience",
      enter = function(m)
        qmp("migrate", { uri = m.note.uri }, { within = "5s" })
        watch.begin(m, { nearly = m.divert_at, dark = m.downtime, dirty = m.note.dirties,
          limit = m.bandwidth, stalled = 10000 })
      end,
      on { "timer:progress", run = watch.look },
      on { "progress:nearly", go = "divert" },
      on { "progress:stalled", go = "abort" },
      on { "MIGRATION", status = "pre-switchover", go = "abort" },
      on { "MIGRATION", status = "failed", go = "abort" } },

    -- The guest still runs. From the answer on the destination holds what comes.
    state "divert" { within = "5s",
      enter = function(m)
        timer.cancel("progress")
        peer.ask("hold", {}, { within = "2s" })
        m.note.path.turn()
        if not qmp("query-status").running then
          error { kind = "refused", code = "too-late",
            what = "the guest stopped before its packets were diverted; a larger divert_at helps" }
        end
        qmp("migrate-set-parameters", { ["downtime-limit"] = m.downtime_max })
      end,
      on { "MIGRATION", status = "pre-switchover", go = "switchover" },
      on { "MIGRATION", status = "failed", go = "abort" } },

    -- The guest stands, here and there.
    state "switchover" { within = "5s",
      enter = function() qmp("migrate-continue", { state = "pre-switchover" }) end,
      on { "MIGRATION", status = "completed", go = "handover" },
      on { "MIGRATION", status = "failed", go = "abort" } },

    state "handover" { within = "5s",
      on { "peer:loaded", go = "yours" } },

    state "yours" { within = "10s", commits = true,
      enter = function() peer.send("yours") end,
      on { "peer:resumed", go = "drain" } },

    -- Until nobody sends through the tunnel any more: then the network knows the new place.
    state "drain" { within = var "drained", late = "done",
      enter = function(m) m.note.seen = -1; timer.every("1s", "quiet") end,
      on { "timer:quiet", run = function(m)
        local sent = net.link { m.note.tunnel, netns = m.netns }.counters.tx_packets
        if sent == m.note.seen then emit("tunnel:quiet") end
        m.note.seen = sent
      end },
      on { "tunnel:quiet", go = "done" } },
  },

  role "dest" { peer_from = var "listen_ip", peer_port = var "peer_port",
    -- QEMU waits here: -incoming defer -S.
    state "prepare" { within = "30s",
      enter = function(m)
        m.note.waits = m:undo("end the QEMU that waits", qmp.quit)
        m.note.hold = net.hold { m.tap, rate = m.pps, pause = m.pause, netns = m.netns }
        net.tunnel { to = peer.address(), from = peer.own_address(), mode = m.tunnel,
          mtu = m.mtu, wrapped = m.wrapped, netns = m.netns }
        net.arrive { m.vm_ip, tap = m.tap, mac = guest.mac(), netns = m.netns }
        qmp.enable("events", "late-block-activate")
        local uri = guest.uri(peer.own_address(), m.ram_port)
        qmp("migrate-incoming", { uri = uri })
        m.note.uri = uri
      end,
      next = "waiting" },

    state "waiting" { within = var "patience",
      enter = function(m) peer.send("ready", { uri = m.note.uri, disks = m.note.disks }) end,
      on { "peer:hold", go = "holding" },
      on { "MIGRATION", status = "failed", go = "abort" } },

    state "holding" { within = "30s",
      enter = function(m) m.note.hold.block(); peer.reply("hold") end,
      on { "MIGRATION", status = "completed", go = "loaded" },
      on { "MIGRATION", status = "failed", go = "abort" } },

    -- All of the guest is here, and whether it is ours only the source can say: when that falls
    -- silent now, a person must.
    state "loaded" { within = "15s", late = "stranded",
      enter = function(m)
        m.note.waits.drop()
        peer.send("loaded")
      end,
      on { "peer:yours", go = "resume" },
      on { "peer:ended", go = "abort", run = function() qmp.quit() end },
      on { "peer:lost", go = "stranded" } },

    state "resume" { within = "5s", commits = true,
      enter = function() qmp("cont") end,
      on { "RESUME", go = "serve" } },

    state "serve" { within = var "patience", late = "done",
      enter = function(m)
        peer.send("resumed")
        m.note.hold.open()
      end,
      on { "peer:ended", go = "done" },
      on { "peer:lost", go = "done" } },
  },
}
