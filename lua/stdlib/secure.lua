-- SPDX-License-Identifier: Apache-2.0
--- What one QEMU sends to the other, RAM and disks, under TLS with the key of this run.
local guest = require "guest"

local secure = {}

local object = "ktm-tls"

--- One that is there is of a run that was killed behind its commit, and of no use any more.
local function add(endpoint, username)
  for _, there in ipairs(qmp("qom-list", { path = "/objects" })) do
    if there.name == object then qmp("object-del", { id = object }) end
  end
  qmp("object-add", { ["qom-type"] = "tls-creds-psk", id = object, endpoint = endpoint,
    dir = peer.keys(), username = username })
end

--- At the source: QEMU has the key for its migrations, until they are aborted.
function secure.offer(m)
  if not m.encrypt then return end
  m:undo("take the key from QEMU", qmp.restore { object = object })
  add("client", "katamaran")
  guest.set(m, { ["tls-creds"] = object })
end

--- At the destination, where QEMU itself ends on abort.
function secure.expect(m)
  if not m.encrypt then return end
  add("server")
  qmp("migrate-set-parameters", { ["tls-creds"] = object })
end

--- What QEMU is told of a disk that crosses the network: the name of its key, or nothing.
function secure.disks(m) return m.encrypt and object or nil end

--- At the destination: the guest is here, and its QEMU needs the key no more.
function secure.finish(m)
  if not m.encrypt then return end
  local _, kept = qmp.try("migrate-set-parameters", { ["tls-creds"] = "" }, { within = "2s" })
  local _, left = qmp.try("object-del", { id = object }, { within = "2s" })
  if kept or left then log.warn("the guest's QEMU keeps the key of its move: %s", kept or left) end
end

return secure
