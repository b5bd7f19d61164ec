-- SPDX-License-Identifier: Apache-2.0
--- Moves a guest and its disks to another node: the disks are mirrored while it runs.
---
--- Each write of the guest is at both nodes before the guest is told that it is done, so that the
--- disks are equal within milliseconds once it stands. The price: its writes are as slow as the
--- network, and stand still with it.
local wait_all = require "wait_all"

local function job_of(drive) return "mirror-" .. drive end
local function node_of(drive) return "ktm-" .. drive end

--- Each drive's mirror must be there and complete. A job that failed is gone from the list.
local function check_mirrors(m)
  local states = {}
  for _, job in ipairs(qmp("query-block-jobs")) do states[job.device] = job.status end
  for _, drive in ipairs(m.drives) do
    if states[job_of(drive)] ~= "ready" then
      error { kind = "refused", code = "mirror-lost", what = "the mirror of " .. drive .. " is " ..
        (states[job_of(drive)] or "gone") }
    end
  end
end

local function begin_mirror(m, drive)
  m:undo("end the mirror of " .. drive, qmp.restore { job = job_of(drive), node = node_of(drive) })
  qmp("blockdev-add", { driver = "nbd", ["node-name"] = node_of(drive), export = drive,
    server = { type = "inet", host = m.note.disks.host, port = m.note.disks.port } })
  qmp("blockdev-mirror", { ["job-id"] = job_of(drive), device = drive, target = node_of(drive),
    sync = "full", ["copy-mode"] = "write-blocking", ["on-target-error"] = "report" })
end

return derive "shared-storage" {
  name = "local-storage",
  summary = "Move a guest to another node, with its disks.",

  vars = {
    drives   = var.list     { of = "string", agree = true,
      doc = "The disks, as block nodes are called in QEMU." },
    nbd_port = var.int      { 10809, min = 1, max = 65535, role = "dest",
      doc = "Where they are received." },
    mirrored = var.duration { "12h", min = "1s", role = "source",
      doc = "How long the copy of the disks may take." },
  },

  role "source" {
    before "copy" { state "mirror" { within = var "mirrored",
      enter = function(m)
        local ready = {}
        for index, drive in ipairs(m.drives) do
          begin_mirror(m, drive)
          ready[index] = { "BLOCK_JOB_READY", device = job_of(drive) }
        end
        wait_all(ready)
        check_mirrors(m)
      end,
      next = "copy" } },

    change "copy" { on { "BLOCK_JOB_COMPLETED", go = "abort" } },

    -- The guest stands: nothing writes, and the mirrors end with equal disks or not at all.
    before "switchover" { state "equal" { within = "10s", next = "switchover",
      enter = function(m)
        check_mirrors(m)
        for _, drive in ipairs(m.drives) do
          qmp("block-job-cancel", { device = job_of(drive) })
          local ended = wait { "BLOCK_JOB_COMPLETED", "5s", device = job_of(drive) }
          if ended.data.error then
            error { kind = "refused", code = "mirror-lost", what = "the mirror of " .. drive ..
              " ended with: " .. ended.data.error }
          end
        end
      end } },
  },

  role "dest" {
    before "waiting" { state "exports" { within = "10s", next = "waiting",
      enter = function(m)
        local port = tostring(m.nbd_port)
        qmp("nbd-server-start", { ["max-connections"] = #m.drives,
          addr = { type = "inet", data = { host = peer.own_address(), port = port } } })
        for _, drive in ipairs(m.drives) do
          qmp("block-export-add", { id = node_of(drive), ["node-name"] = drive, type = "nbd",
            name = drive, writable = true })
        end
        m.note.disks = { host = peer.own_address(), port = port }
      end } },

    -- A disk that is exported is written to from outside: never while the guest runs.
    before "loaded" { state "alone" { within = "10s", next = "loaded",
      enter = function() qmp("nbd-server-stop") end } },
  },
}
