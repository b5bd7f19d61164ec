-- SPDX-License-Identifier: Apache-2.0
--- What a migration looks at before it begins. Nothing here changes anything.
---
---     role "source" {
---       looks = function(m) preflight.source(m) end,
---
--- What must be the same at both nodes is told to the other one, and compared there and here. A
--- QEMU that does not answer is bad; what it does not know how to answer is unknown.
local units = require "units"
local preflight = {}

--- A packet in a ring or a queue costs the kernel so much, whatever its length, up to a page.
local bytes_a_packet = 2304
--- net.hold makes room for so many times what is expected.
local margin = 2

--- Words for a list, in an order of their own.
local function listed(items, word_of)
  local words = {}
  for index, item in ipairs(items) do words[index] = word_of(item) end
  table.sort(words)
  return #words > 0 and table.concat(words, ", ") or "none"
end

-- QEMU --------------------------------------------------------------------------------------------

--- What QEMU says to a question that not each of them knows; nothing is a finding then.
local function asked(command, arguments)
  local said, problem = qmp.try(command, arguments)
  if said == nil and problem.kind ~= "refused" then error(problem, 0) end
  if said == nil then look.unknown("QEMU", problem.what) end
  return said
end

local function look_at_state(waits)
  local status, copy = qmp("query-status").status, qmp("query-migrate")
  if not waits then
    if status == "running" then
      look.ok("guest", "it runs")
    else
      look.bad("guest", "it does not run: QEMU says " .. status,
        "a guest is moved while it runs; begin when it does")
    end
  elseif status ~= "inmigrate" then
    look.bad("QEMU", "it waits for no guest: it says " .. status,
      "start it with -incoming defer -S")
  elseif copy.status then
    look.bad("QEMU", "it waits for RAM already: its migration is " .. copy.status,
      "start it with -incoming defer, without an address")
  else
    look.ok("QEMU", "it waits for a guest")
  end
  for _, reason in ipairs(copy["blocked-reasons"] or {}) do
    look.bad("guest", "it cannot be moved: " .. reason, "take that away from it first")
  end
end

local function look_at_capabilities(wanted)
  local known = {}
  for _, one in ipairs(qmp("query-migrate-capabilities")) do known[one.capability] = true end
  for _, name in ipairs(wanted) do
    if not known[name] then
      look.bad("QEMU", "it has no capability " .. name, "take a newer QEMU")
    end
  end
end

--- What the guest is made of must be the same at both nodes, or it does not fit in there.
local function look_at_machine()
  local version = qmp("query-version")
  local number = string.format("%d.%d.%d", version.qemu.major, version.qemu.minor,
    version.qemu.micro)
  look.alike("QEMU's version", number,
    "a newer one at the destination is well; an older one may not take the guest")
  local machine = asked("qom-get", { path = "/machine", property = "type" })
  if machine then
    look.same("machine type", machine, "start the QEMU that waits with the same -machine")
  end
  local memory = asked("query-memory-size-summary")
  if memory then
    local plugged = memory["plugged-memory"] or 0
    look.same("guest's RAM", string.format("%d KiB", (memory["base-memory"] + plugged) / 1024),
      "start the QEMU that waits with the same -m")
  end
  local processors = asked("query-cpus-fast")
  if processors then
    look.same("guest's CPUs", #processors, "start the QEMU that waits with the same -smp")
  end
  local buses = asked("query-pci")
  look.alike("guest's PCI devices", listed(buses and buses[1] and buses[1].devices or {},
    function(device)
      return string.format("%d.%d %04x:%04x", device.slot, device["function"], device.id.vendor,
        device.id.device)
    end), "start the QEMU that waits with the same devices at the same places")
  local cards = qmp("query-rx-filter")
  if #cards == 0 then
    look.bad("guest's network", "no network device of it tells its Ethernet address",
      "give it one of virtio-net")
  end
  look.same("guest's Ethernet addresses", listed(cards, function(card) return card["main-mac"] end),
    "start the QEMU that waits with the same mac=")
end

local function name_of_disk(disk)
  return disk.device ~= "" and disk.device or disk.inserted["node-name"]
end

local function look_at_disks()
  local disks = {}
  for _, disk in ipairs(qmp("query-block")) do
    if disk.inserted then disks[#disks + 1] = disk end
  end
  look.same("disks", listed(disks, function(disk)
    return string.format("%s of %d bytes%s", name_of_disk(disk),
      disk.inserted.image["virtual-size"], disk.inserted.ro and ", read-only" or "")
  end), "the disks must have the same names and sizes, and be writable at both")
  look.alike("files of the disks", listed(disks, function(disk)
    return disk.inserted.image.filename
  end), "see that they are the same disks under two names")
end

local function look_at_qemu(waits, capabilities)
  look.at("QEMU", function()
    look_at_state(waits)
    look_at_capabilities(capabilities)
    look_at_machine()
    look_at_disks()
  end)
end

--- The disks of a plan that mirrors them, by their block nodes.
function preflight.drives(m)
  look.at("drives", function()
    local nodes, names = {}, {}
    for index, disk in ipairs(qmp("query-block")) do
      local inserted = disk.inserted or {}
      nodes[inserted["node-name"] or index] = inserted
      if inserted["node-name"] then names[#names + 1] = inserted["node-name"] end
    end
    for _, drive in ipairs(m.drives) do
      local node = nodes[drive]
      if not node then
        look.bad("drive " .. drive, "there is no such block node; there are " ..
          listed(names, function(name) return name end), "give --var drives=NAME,…")
      elseif node.ro then
        look.bad("drive " .. drive, "it is read-only", "attach it writable")
      else
        look.ok("drive " .. drive, units.size(node.image["virtual-size"]))
      end
    end
    -- In the place of what is looked at where both nodes have the same ones.
    look.alike("files of the disks", "each node its own", "")
  end)
end

-- The network -------------------------------------------------------------------------------------

local function is_v6(address) return address:find(":", 1, true) ~= nil end

local function has_family(addresses, v6)
  for _, address in ipairs(addresses) do
    if is_v6(address) == v6 then return true end
  end
  return false
end

local may_not = { EPERM = true, EACCES = true }

--- Whether the kernel has this kind; says so when it has not, or when we may not ask.
local function look_at_kind(kind, netns, finds, remedy)
  local ok, said = pcall(net.knows, { kind, netns = netns })
  if not ok and may_not[said.code] then
    look.bad("kernel", "katamaran may not change the network here",
      "run it as root, or with CAP_NET_ADMIN")
    return false
  end
  if not ok then error(said, 0) end
  if said == "none" then
    finds("kernel", "it has no " .. kind, remedy)
  else
    look.ok("kernel", "it has " .. kind .. (said == "loadable" and ", when it is wanted" or ""))
  end
  return true
end

local wrong_name = { ENOENT = true, ENOTDIR = true, EINVAL = true, ENXIO = true, ELOOP = true,
  ENAMETOOLONG = true }

--- Whether there is such a namespace, or none is meant: nothing can be looked at in one that is
--- not there, and that is no world that refuses to say but a wrong var.
local function is_there(netns)
  if not netns then return true end
  local ok, said = pcall(net.addresses, { netns = netns })
  if ok or not wrong_name[said.code] then return true end
  look.bad("network namespace", "there is none under " .. netns, "see --var netns=")
  return false
end

local function look_at_kinds(m, form)
  for _, kind in ipairs(form.kinds) do
    if not look_at_kind(kind, m.netns, look.bad,
        "load its module, or take another --var tunnel=") then
      return
    end
  end
end

--- What the tunnel carries, of what the guest's packets are.
local function look_at_room(m, form)
  for family, v6 in pairs { v4 = false, v6 = true } do
    if has_family(m.vm_ip, v6) and form[family] < m.mtu then
      look.bad("tunnel", string.format("it carries packets of IP%s of %d bytes, and the guest's " ..
        "have up to %d", family, form[family], m.mtu), "--var wrapped=yes, or a smaller --var mtu=")
    end
  end
end

local function setting(name, netns)
  local ok, text = pcall(net.setting, { name, netns = netns })
  return ok and tonumber(text) or nil
end

--- Whether packets that come in through this device are forwarded.
local function look_at_forwarding(m, device, finds)
  if has_family(m.vm_ip, false) and setting("ipv4/ip_forward", m.netns) ~= 1 and
    setting("ipv4/conf/" .. device .. "/forwarding", m.netns) ~= 1 then
    finds("forwarding", "IPv4 that comes in through " .. device .. " is not forwarded",
      "sysctl -w net.ipv4.ip_forward=1")
  end
  if has_family(m.vm_ip, true) then
    if setting("ipv6/conf/all/disable_ipv6", m.netns) == 1 then
      look.bad("forwarding", "IPv6 is switched off, and the guest has an address of it",
        "sysctl -w net.ipv6.conf.all.disable_ipv6=0")
    elseif setting("ipv6/conf/all/forwarding", m.netns) ~= 1 then
      look.bad("forwarding", "IPv6 is not forwarded", "sysctl -w net.ipv6.conf.all.forwarding=1")
    end
  end
end

local function share_mtu(device, way_mtu, netns)
  local link = net.link { device, netns = netns }
  if link then
    look.alike("MTU between the nodes", way_mtu or link.mtu,
      "the smaller one decides, and packets are fragmented on the way")
  end
end

local function look_at_way_to_node(m)
  local way = net.way { to = m.dest_ip, netns = m.netns }
  if not way then
    look.bad("way to the other node", "there is no route to " .. m.dest_ip,
      "see ip route get " .. m.dest_ip)
    return
  end
  if way.from == m.dest_ip then
    look.bad("way to the other node", m.dest_ip .. " is an address of this node",
      "give that of the destination with --var dest_ip=")
    return
  end
  look.ok("way to the other node", m.dest_ip .. " through " .. way.on)
  share_mtu(way.on, way.mtu, m.netns)
  look_at_forwarding(m, way.on, look.bad)
  local form = net.form { to = m.dest_ip, mode = m.tunnel, mtu = m.mtu, wrapped = m.wrapped,
    netns = m.netns }
  look_at_room(m, form)
  look_at_kinds(m, form)
  return way.on
end

--- At the source packets for the guest must come to it: else there is nothing to divert. What
--- leads `out` to the other node does not lead to it.
local function look_at_way_to_guest(m, out)
  for _, address in ipairs(m.vm_ip) do
    local way = net.way { to = address, netns = m.netns }
    local link = way and net.link { way.on, netns = m.netns }
    if not link then
      look.bad("way to the guest", "there is no route to " .. address,
        "see --var vm_ip= and --var netns=")
    elseif link.tap and not link.carrier then
      look.bad("way to the guest", address .. " leads to " .. way.on .. ", and nobody has it open",
        "see --var vm_ip=")
    elseif not link.tap and (way.on == out or link.kind ~= "bridge" and link.kind ~= "veth") then
      look.warn("way to the guest", address .. " leads to " .. way.on .. ", which is no tap",
        "see that packets for the guest come by here")
    else
      look.ok("way to the guest", address .. " through " .. way.on)
    end
  end
end

local function look_at_tap(m)
  local link = net.link { m.tap, netns = m.netns }
  if not link then
    look.bad(m.tap, "there is no such interface", "see --var tap= and --var netns=")
    return
  end
  local faults = {
    { not link.tap, "it is no tap", "give the guest's with --var tap=" },
    { link.tap and not link.carrier, "nobody has it open", "start the QEMU that waits with it" },
    { not link.up, "it is not up", "ip link set " .. m.tap .. " up" },
    { link.mtu < m.mtu, string.format("its MTU is %d, and the guest's packets have up to %d",
      link.mtu, m.mtu), "set its MTU, or --var mtu=" },
  }
  local is_well = true
  for _, fault in ipairs(faults) do
    if fault[1] then
      look.bad(m.tap, fault[2], fault[3])
      is_well = false
    end
  end
  for _, queue in ipairs(net.queues { m.tap, netns = m.netns }) do
    if queue.ours and queue.root then
      look.bad(m.tap, "it has the hold of an earlier run", "katamaran recover --by-mark")
      is_well = false
    end
  end
  if is_well then look.ok(m.tap, "a QEMU has it open") end
  look_at_forwarding(m, m.tap, look.warn)
end

--- Nobody else may have the guest's addresses where it comes to.
local function look_at_room_for_guest(m)
  local taken = {}
  for _, one in ipairs(net.addresses { netns = m.netns }) do
    taken[one.address:match("^[^/]+")] = one.on
  end
  for _, address in ipairs(m.vm_ip) do
    if taken[address] then
      look.bad("guest's address", string.format("%s has %s already", taken[address], address),
        "take it away there, or see --var vm_ip=")
    end
  end
  local own = taken[m.listen_ip]
  if own then share_mtu(own, nil, m.netns) end
end

--- An address for the far end of a tunnel that is only thought of.
local nowhere = { [false] = "192.0.0.8", [true] = "100::1" }

local function look_at_tunnel_from_here(m)
  if m.listen_ip == "0.0.0.0" or m.listen_ip == "::" then return end
  look_at_kinds(m, net.form { to = m.listen_ip, from = nowhere[is_v6(m.listen_ip)],
    mode = m.tunnel, mtu = m.mtu, wrapped = m.wrapped, netns = m.netns })
end

-- Ports and memory --------------------------------------------------------------------------------

local no_peer = { [false] = "00000000:0000", [true] = string.rep("0", 32) .. ":0000" }

--- Whether somebody listens on a port, in any way; the kernel's list says it in hexadecimals.
local function is_taken(port)
  for file, v6 in pairs { ["/proc/net/tcp"] = false, ["/proc/net/tcp6"] = true } do
    local waiting = string.format(":%04X %s 0A", port, no_peer[v6])
    if (not v6 or fs.exists(file)) and fs.read(file):find(waiting, 1, true) then return true end
  end
  return false
end

function preflight.port(port, what)
  local known, taken = pcall(is_taken, port)
  if not known then
    look.unknown(what, "the kernel's list of connections cannot be read, or is too long")
  elseif taken then
    look.bad(what, string.format("somebody listens on port %d already", port),
      "see ss -ltnp sport = " .. port .. ", or take another one")
  else
    look.ok(what, string.format("port %d is free", port))
  end
end

local function look_at_memory(m)
  local needed = m.pps * m.pause / 1000 * margin * bytes_a_packet
  local free = tonumber(fs.read("/proc/meminfo"):match("MemAvailable:%s+(%d+)"))
  if not free then
    look.unknown("memory", "/proc/meminfo says nothing of what is available")
    return
  end
  free = free * 1024
  local words = string.format("a hold of %d packets a second for %s may take %s, and %s is free",
    m.pps, units.duration(m.pause), units.size(needed), units.size(free))
  if needed > free then
    look.bad("memory", words, "a smaller --var pps= or --var pause=")
  elseif needed > free / 2 then
    look.warn("memory", words, "see that nobody else needs it")
  else
    look.ok("memory", words)
  end
end

-- The sides of a migration ------------------------------------------------------------------------

--- Needs the vars of shared-storage.
function preflight.source(m)
  look_at_qemu(false, { "events", "pause-before-switchover", "auto-converge" })
  if not is_there(m.netns) then return end
  local out
  look.at("way to the other node", function() out = look_at_way_to_node(m) end)
  look.at("way to the guest", function() look_at_way_to_guest(m, out) end)
end

function preflight.dest(m)
  look_at_qemu(true, { "events", "late-block-activate" })
  if is_there(m.netns) then
    look.at(m.tap, function() look_at_tap(m) end)
    look.at("guest's address", function() look_at_room_for_guest(m) end)
    look.at("kernel", function()
      look_at_tunnel_from_here(m)
      look_at_kind("plug", m.netns, look.warn, "without it the ring of the tap holds alone")
    end)
  end
  preflight.port(m.ram_port, "port for RAM")
  look.at("memory", function() look_at_memory(m) end)
end

-- A host alone ------------------------------------------------------------------------------------

local function look_at_leftovers(netns)
  local count = 0
  for _, link in ipairs(net.links { netns = netns }) do
    if link.tag:sub(1, 10) == "katamaran/" then
      count = count + 1
      look.warn(link.name, "a tunnel of the run " .. link.tag:sub(11),
        "when that run is over: katamaran recover --by-mark")
    end
  end
  if count == 0 then look.ok("tunnels of runs", "none") end
end

function preflight.host(m)
  if not is_there(m.netns) then return end
  look.at("kernel", function()
    local may = true
    for _, kind in ipairs { "gre", "ipip", "vxlan", "ip6gre", "ip6tnl" } do
      may = may and look_at_kind(kind, m.netns, look.warn, "tunnels that need it cannot be had")
    end
    if may then
      look_at_kind("plug", m.netns, look.warn, "without it the ring of the tap holds alone")
    end
  end)
  look.at("forwarding", function()
    local settings = { ["ipv4/ip_forward"] = "IPv4", ["ipv6/conf/all/forwarding"] = "IPv6" }
    for name, words in pairs(settings) do
      local value = setting(name, m.netns)
      if value == nil then
        look.unknown("forwarding", "whether " .. words .. " is forwarded cannot be read")
      elseif value == 1 then
        look.ok("forwarding", words .. " is forwarded")
      else
        look.warn("forwarding", words .. " is not forwarded", "sysctl -w net/" .. name .. "=1")
      end
    end
  end)
  look.at("tunnels of runs", function() look_at_leftovers(m.netns) end)
end

return preflight
