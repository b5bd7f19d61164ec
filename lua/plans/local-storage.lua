-- SPDX-License-Identifier: Apache-2.0
--- Moves a guest and its disks to another node: the disks are mirrored while it runs.
---
--- Each write of the guest is at both nodes before the guest is told that it is done, so that the
--- disks are equal within milliseconds once it stands. The price: its writes are as slow as the
--- network, and stand still with it.
local preflight = require "preflight"
local secure = require "secure"
local units = require "units"

local function job_of(drive) return "mirror-" .. drive end
local function node_of(drive) return "ktm-" .. drive end

local is_over = { gone = true, aborting = true, concluded = true, null = true }

--- How far each drive's mirror is: nothing is left when all are ready. A job that failed is gone.
local function look_at_mirrors(m)
  local jobs, copied, left, is_ready = {}, 0, 0, true
  for _, job in ipairs(qmp("query-block-jobs", nil, { within = "5s" })) do
    jobs[job.device] = job
  end
  for _, drive in ipairs(m.drives) do
    local job = jobs[job_of(drive)] or { status = "gone" }
    if is_over[job.status] then
      error { kind = "refused", code = "mirror-lost",
        what = "the mirror of " .. drive .. " is " .. job.status }
    end
    copied, left = copied + job.offset, left + job.len - job.offset
    is_ready = is_ready and job.status == "ready"
  end
  return is_ready, copied, left
end

local function check_mirrors(m)
  local is_ready, _, left = look_at_mirrors(m)
  if not is_ready then
    error { kind = "refused", code = "mirror-lost", what = "a mirror is not ready any more" }
  end
  return left
end

--- The guest's writes wait for the other node, and nobody tells when that falls silent.
local function watch_link(m)
  local silence = peer.silence() or 0
  if silence >= m.stall then
    error { kind = "timeout", code = "mirror-stalled", what = string.format(
      "nothing was heard of the destination for %d ms, and the guest's writes wait for it",
      silence) }
  end
end

local function watch_mirrors(m)
  watch_link(m)
  local is_ready, copied, left = look_at_mirrors(m)
  progress("disks: %s copied, %s left", units.size(copied), units.size(left))
  if not is_ready then return end
  log.info("the mirrors are complete, %s behind", units.size(left))
  emit("mirrors:ready")
end

local function begin_mirror(m, drive)
  m:undo("end the mirror of " .. drive, qmp.restore { job = job_of(drive), node = node_of(drive) })
  qmp("blockdev-add", { driver = "nbd", ["node-name"] = node_of(drive), export = drive,
    ["tls-creds"] = secure.disks(m),
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
    stall    = var.duration { "2s", min = "1s", max = "4s", role = "source",
      doc = "How long the guest's writes may wait for a node that is silent." },
  },

  role "source" {
    looks = function(m) preflight.drives(m) end,

    before "copy" { state "mirror" { within = var "mirrored",
      enter = function(m)
        for _, drive in ipairs(m.drives) do begin_mirror(m, drive) end
        timer.every(m.stall / 8, "mirrors")
      end,
      on { "BLOCK_JOB_READY", run = watch_mirrors },
      on { "timer:mirrors", run = watch_mirrors },
      on { "BLOCK_JOB_COMPLETED", run = watch_mirrors },
      on { "mirrors:ready", go = "copy" } } },

    change "copy" {
      on { "timer:mirrors", run = watch_link },
      on { "BLOCK_JOB_COMPLETED", run = look_at_mirrors } },

    change "hold" { on { "timer:mirrors", run = watch_link } },
    change "divert" { on { "timer:mirrors", run = watch_link } },

    -- They end with the QEMU at their other end.
    before "again" { state "unmirror" { within = "10s", next = "again",
      enter = function(m)
        timer.cancel("mirrors")
        for _, drive in ipairs(m.drives) do
          qmp.restore { job = job_of(drive), node = node_of(drive) }()
        end
      end } },

    -- The guest stands: nothing writes, and the mirrors end with equal disks or not at all.
    before "switchover" { state "equal" { within = "10s", next = "switchover",
      enter = function(m)
        timer.cancel("mirrors")
        log.debug("the mirrors are %s behind", units.size(check_mirrors(m)))
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
    looks = function(m)
      preflight.drives(m)
      preflight.port(m.nbd_port, "port for disks")
    end,

    before "waiting" { state "exports" { within = "10s", next = "waiting",
      enter = function(m)
        local port = tostring(m.nbd_port)
        qmp("nbd-server-start", { ["max-connections"] = #m.drives,
          ["tls-creds"] = secure.disks(m),
          addr = { type = "inet", data = { host = peer.own_address(), port = port } } })
        for _, drive in ipairs(m.drives) do
          qmp("block-export-add", { id = node_of(drive), ["node-name"] = drive, type = "nbd",
            name = drive, writable = true })
        end
        m.note.disks = { host = peer.own_address(), port = port }
      end } },

    -- A disk that is exported is written to from outside: never while the guest runs.
    before "loaded" { state "alone" { within = "10s", next = "loaded",
      enter = function(m) if not m.note.rest then qmp("nbd-server-stop") end end } },

    -- The mirrors have ended, and to stop may fail: what cannot be undone comes behind it.
    before "borrow" { state "unshare" { within = "10s", next = "borrow",
      enter = function() qmp("nbd-server-stop") end } },
  },
}
