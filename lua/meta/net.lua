---@meta
-- SPDX-License-Identifier: Apache-2.0
-- lua/meta/net.lua: The kernel's side, for editors.
-- Written by tools/api from src/script; a change by hand is lost.

---One end of a tunnel.
---@class ktm.Tunnel
---@field what string What it is, for people.
---@field name string Its device.
---@field from string The address of this end.
---`v4` and `v6`: the largest packet, of those that this node forwards, that gets through; 0: none
---of this family.
---@field carries table
---@field release fun() Removes it.

---A guest's packets, diverted.
---@class ktm.Diversion
---@field what string What it is, for people.
---@field turn fun() Diverts; one message to the kernel.
---@field back fun() Ends it; it can be turned again.
---@field release fun() Ends it for good.

---What keeps packets for a guest.
---@class ktm.Hold
---@field what string What it is, for people.
---@field capacity integer How many packets of the largest size it holds.
---@field needed integer How many rate, pause and margin ask for.
---@field ring integer The length of the ring.
---@field limit integer Of the plug, in bytes; 0 without one.
---@field plug boolean Whether there is a plug.
---@field block fun() From here on the plug holds; without a plug nothing happens.
---@field open fun() The plug lets go, at the hold's pace.
---@field counts fun():ktm.HoldCounts What it did so far.
---Opens, waits until all have gone, and lets what it is made of stay on the tap, where all passes:
---nothing is lost. For the end of a migration that went well.
---@field finish fun():ktm.HoldCounts
---The same, and puts everything back. The kernel drops what comes in the very moment in which a
---queue is changed, and counts it nowhere: not under traffic.
---@field release fun():ktm.HoldCounts

---What a hold did.
---@class ktm.HoldCounts
---@field taken integer Packets that the guest's QEMU took from the tap.
---@field queued integer In the plug, now.
---@field queued_most integer The most that was seen there.
---@field dropped_plug integer What did not fit into the plug.
---@field dropped_ring integer What did not fit into the ring.
---@field left integer What nobody took, and was given up.
---@field lost integer The sum of the last three.
---@field guarded boolean The guard had to open the plug.

---A device.
---@class ktm.Link
---@field name string Of the device.
---@field kind string "vxlan", "tun", "veth"; empty for hardware.
---@field tag string Its alias.
---@field mac? string Its Ethernet address.
---@field tap boolean Whether it is a tap.
---@field up boolean Whether it is set up.
---@field carrier boolean Of a tap: whether a program has it open.
---@field mtu integer Its MTU.
---@field queue_length integer Of a tap: the length of its ring.
---`rx_` and `tx_` `packets`, `bytes`, `dropped` and `errors`. Of a tap, tx is what its reader took,
---and tx_dropped what did not fit into the ring.
---@field counters table

---An address of a device.
---@class ktm.Address
---@field address string With the length of its prefix: "192.0.2.1/24".
---@field on string Its device.

---A route.
---@class ktm.Way
---@field on string The device.
---@field via? string The next node.
---@field from? string The address that packets get.
---@field mtu? integer Of the route, if it has one of its own.

---A tunnel that is only thought of.
---@class ktm.Form
---@field kinds string[] The kinds of devices that it is made of.
---@field from string The address of this end.
---@field v4 integer The largest packet of IPv4 that gets through; 0: none.
---@field v6 integer The same of IPv6.

---A qdisc.
---@class ktm.Queue
---@field kind string "pfifo_fast", "tbf", "plug".
---@field root boolean Whether it belongs to no other.
---@field ours boolean Whether it is a hold of katamaran.

---@class ktm.net.tunnel.options
---@field to string The address of the other node.
---@field from? string Ours; without it the one that the kernel would take.
---What the network sees; "gre" without it. Of ipip there can be one between two nodes.
---@field mode? "ipip"|"gre"|"vxlan"
---Whether a gre lies inside, which carries packets of full size; true without it. Both ends must
---say the same.
---@field wrapped? boolean
---@field frames? boolean It carries Ethernet frames, for a bridged guest.
---@field mtu? integer The largest packet of the guest; 1500 without it.
---@field ttl? integer Of the outer packets; 64 without it.
---Tells tunnels of the same two nodes apart; 0 without it. Both ends must say the same.
---@field id? integer
---@field port? integer Of a vxlan; 4789 without it.
---@field netns? string The namespace: a path, or a name of `ip netns`; our own without it.

---@class ktm.word.net
net = {}

---Makes one end of a tunnel to another node, and lets in what comes out of it. The other end makes
---its own, with the two addresses swapped. Its device has a name that no other migration has, and a
---tag by which it is found when we are gone.
---
---In actions and undos; waits. Since api 1.
---
---Raises:
---- `invalid` `bad-argument`, `bad-address`: an option is missing, unknown or of another type.
---- `refused` `no-route`, `no-source`, `mixed-families`, `bad-ends`, `bad-mtu`, `no-frames`: these
---two nodes cannot have it; the text says why.
---- `io`, with the kernel's code: the kernel refused. EOPNOTSUPP: it has no such tunnels.
---- `timeout` `no-answer`: the kernel did not answer, and what may have been done was taken back;
---all words of `net` can fail so.
---```lua
---m.note.tunnel = net.tunnel { mode = "gre", to = "192.0.2.7" }
---```
---@param options ktm.net.tunnel.options The tunnel.
---@return ktm.Tunnel tunnel a hold: given back at the end, unless stranded
function net.tunnel(options) end

---@class ktm.net.divert.options
---@field [integer] string|string[] Addresses of the guest.
---@field into string|ktm.Tunnel Where they are sent.
---@field table? integer The routing table; the main one without it.
---@field mtu? integer The largest packet of the guest; 1500 without it.
---@field on? string For frames: the device at which they are caught.
---@field mac? string For frames: the guest's address; all frames without it.
---@field incoming? boolean For frames: those that come in there, not those that leave.
---@field netns? string The namespace: a path, or a name of `ip netns`; our own without it.

---Prepares to send what is for a guest elsewhere. Nothing is changed yet: `turn` does that, by one
---message to the kernel. The routes that are there stay, behind ours. Frames of a bridged guest are
---redirected by a filter before all others.
---
---In actions and undos; waits. Since api 1.
---
---Raises:
---- `invalid` `bad-argument`, `bad-address`, `bad-mac`: an option is missing, unknown or of another
---type; or the tunnel does not carry the guest's packets in full size.
---- `refused` `diverted`, `no-room`, `ENODEV`: it is diverted already, something stands before it
---that must not be moved, or there is no such device.
---- `io`, with the kernel's code: the kernel refused.
---- `usage` `given-back`: `turn` of one that was released.
---```lua
---local path = net.divert { "10.1.2.3", into = "eth1" }
---path.turn()
---```
---@param options ktm.net.divert.options The diversion: of addresses, or of frames.
---@return ktm.Diversion diversion a hold: given back at the end, unless stranded
function net.divert(options) end

---@class ktm.net.arrive.options
---@field [integer] string|string[] Addresses of the guest.
---@field tap string The guest's tap on this node.
---@field mac string The guest's Ethernet address.
---@field table? integer The routing table; the main one without it.
---@field netns? string The namespace: a path, or a name of `ip netns`; our own without it.

---Leads a guest's addresses to its tap on this node, and makes it a neighbour for good: a guest
---that stands still does not answer when somebody asks for its address.
---
---In actions and undos; waits. Since api 1.
---
---Raises:
---- `invalid` `bad-argument`, `bad-address`, `bad-mac`: an option is missing, unknown or of another
---type.
---- `refused` `diverted`, `no-room`, `ENODEV`: as in `net.divert`.
---- `refused` `no-forwarding`: this node forwards no IPv6.
---- `io`, with the kernel's code: the kernel refused.
---```lua
---net.arrive { "10.1.2.3", tap = "tap0", mac = "02:aa:00:00:00:01" }
---```
---@param options ktm.net.arrive.options The way.
---@return ktm.Handle way undone on abort; the commit keeps it
function net.arrive(options) end

---@class ktm.net.neighbour.options
---@field [integer] string|string[] Their addresses.
---@field mac string Their Ethernet address.
---@field on string The device that leads to them.
---@field netns? string The namespace: a path, or a name of `ip netns`; our own without it.

---Makes neighbours known for good.
---
---In actions and undos; waits. Since api 1.
---
---Raises:
---- As `net.arrive`.
---```lua
---net.neighbour { "10.1.2.3", mac = "02:aa:00:00:00:01", on = "tap0" }
---```
---@param options ktm.net.neighbour.options The neighbours.
---@return ktm.Handle neighbour a hold: given back at the end, unless stranded
function net.neighbour(options) end

---@class ktm.net.announce.options
---@field [integer] string|string[] Addresses of the guest.
---@field mac string Its Ethernet address.
---@field on string The device on which it is said.
---@field netns? string The namespace: a path, or a name of `ip netns`; our own without it.

---Says once where a guest is: a RARP for bridges, and for each address a gratuitous ARP or an
---unsolicited neighbour advertisement.
---
---In actions and undos. Since api 1.
---
---Raises:
---- `invalid` `bad-argument`, `bad-address`, `bad-mac`: an option is missing, unknown or of another
---type.
---- `io`, with the kernel's code: the frames could not be sent.
---```lua
---net.announce { "10.1.2.3", mac = "02:aa:00:00:00:01", on = "eth1" }
---```
---@param options ktm.net.announce.options What is announced.
function net.announce(options) end

---@class ktm.net.hold.options
---@field [1] string The guest's tap, which QEMU has open.
---@field rate integer How many packets come in a second.
---@field pause ktm.Duration How long the guest stands still.
---@field margin? number How much more must fit than rate and pause say; 2 without it.
---What holds; "auto", without it, takes a plug where the kernel has one.
---@field mode? "auto"|"ring"|"plug+ring"
---@field packet? integer The largest frame in bytes; 1514 without it.
---@field ring? integer The length of the ring, instead of what follows from rate and pause.
---@field limit? integer|string The same for the plug, in bytes: "20MB".
---@field small? boolean It may hold less than rate and pause ask for.
---@field pace? integer How many packets a second are let go; four times the rate without it.
---How long the plug may be blocked, until the guard opens it; "30s" without it, and never less than
---the pause.
---@field at_most? ktm.Duration
---@field netns? string The namespace: a path, or a name of `ip netns`; our own without it.

---Sizes what keeps packets while the guest stands still: the ring of its tap, and a plug above it
---where the kernel has one. Everything passes until `block`. When a hold has lost packets, the last
---line of the run says so. When it stays, because the run is stranded, its plug is opened.
---
---In actions and undos; waits. Since api 1.
---
---Raises:
---- `invalid` `bad-argument`, `bad-duration`, `bad-quantity`: an option is missing, unknown or of
---another type.
---- `refused` `too-little`: what was given as `ring` or `limit` holds less than rate and pause ask
---for.
---- `refused` `too-large`: rate and pause ask for more than a million packets.
---- `refused` `no-tap`, `no-reader`, `held`, `no-way-back`, `ENODEV`: this device cannot hold; the
---text says why. With `auto`, a former qdisc that could not be put back means the ring alone.
---- `io`, with the kernel's code: the kernel refused.
---- `usage` `given-back`: `block` of one that was released.
---```lua
---m.note.hold = net.hold { "tap0", rate = 20000, pause = "300ms" }
---log.info("room for %d packets", m.note.hold.capacity)
---```
---@param options ktm.net.hold.options The hold.
---@return ktm.Hold hold a hold: given back at the end, unless stranded
function net.hold(options) end

---@class ktm.net.link.options
---@field [1] string|ktm.Tunnel The device.
---@field netns? string The namespace: a path, or a name of `ip netns`; our own without it.

---What a device is, and what it has counted.
---
---In actions, undos and looks; waits. Since api 1.
---
---Raises:
---- `invalid` `bad-argument`, `bad-address`: an option is missing, unknown or of another type.
---- `io`, with the kernel's code: the kernel refused, or there is no such namespace.
---```lua
---log.info("%d packets so far", net.link { "tap0" }.counters.tx_packets)
---```
---@param options ktm.net.link.options Which.
---@return ktm.Link? link nil when there is no such device
function net.link(options) end

---@class ktm.net.links.options
---@field netns? string The namespace: a path, or a name of `ip netns`; our own without it.

---All devices of a namespace.
---
---In actions, undos and looks; waits. Since api 1.
---
---Raises:
---- As `net.link`.
---```lua
---log.info("%d devices", #net.links())
---```
---@param options? ktm.net.links.options Where.
---@return ktm.Link[] links all devices
function net.links(options) end

---@class ktm.net.taps.options
---@field netns? string The namespace: a path, or a name of `ip netns`; our own without it.

---The taps of a namespace: how the guest's is found in the sandbox of Kata Containers.
---
---In actions, undos and looks; waits. Since api 1.
---
---Raises:
---- As `net.link`.
---```lua
---for _, tap in ipairs(net.taps()) do
---  log.info("%s is %s", tap.name, tap.carrier and "open" or "not open")
---end
---```
---@param options? ktm.net.taps.options Where.
---@return ktm.Link[] taps those devices that are taps
function net.taps(options) end

---@class ktm.net.addresses.options
---@field on? string Those of this device; all without it.
---@field netns? string The namespace: a path, or a name of `ip netns`; our own without it.

---The addresses of this node.
---
---In actions, undos and looks; waits. Since api 1.
---
---Raises:
---- As `net.link`.
---```lua
---for _, ours in ipairs(net.addresses { on = "eth1" }) do
---  log.info("%s", ours.address)
---end
---```
---@param options? ktm.net.addresses.options Which.
---@return ktm.Address[] addresses those of the devices
function net.addresses(options) end

---@class ktm.net.way.options
---@field to string An address.
---@field netns? string The namespace: a path, or a name of `ip netns`; our own without it.

---The route that a packet to an address would take.
---
---In actions, undos and looks; waits. Since api 1.
---
---Raises:
---- As `net.link`.
---```lua
---local way = net.way { to = "192.0.2.7" }
---if way then log.info("through %s", way.on) end
---```
---@param options ktm.net.way.options Where to.
---@return ktm.Way? way nil when there is none
function net.way(options) end

---@class ktm.net.form.options
---@field to string The address of the other node.
---@field from? string Ours; without it the one that the kernel would take.
---What the network sees; "gre" without it. Of ipip there can be one between two nodes.
---@field mode? "ipip"|"gre"|"vxlan"
---Whether a gre lies inside, which carries packets of full size; true without it. Both ends must
---say the same.
---@field wrapped? boolean
---@field frames? boolean It carries Ethernet frames, for a bridged guest.
---@field mtu? integer The largest packet of the guest; 1500 without it.
---@field ttl? integer Of the outer packets; 64 without it.
---Tells tunnels of the same two nodes apart; 0 without it. Both ends must say the same.
---@field id? integer
---@field port? integer Of a vxlan; 4789 without it.
---@field netns? string The namespace: a path, or a name of `ip netns`; our own without it.

---What `net.tunnel` would make of these options, and what that would carry.
---
---In actions, undos and looks; waits. Since api 1.
---
---Raises:
---- As `net.tunnel`, and nothing is made.
---```lua
---local form = net.form { to = "192.0.2.7", mode = "gre" }
---log.info("%d bytes of IPv4", form.v4)
---```
---@param options ktm.net.form.options The tunnel.
---@return ktm.Form form what such a tunnel would be
function net.form(options) end

---@class ktm.net.setting.options
---@field [1] string The setting, as below /proc/sys/net.
---@field netns? string The namespace: a path, or a name of `ip netns`; our own without it.

---A setting of a namespace.
---
---In actions, undos and looks; waits. Since api 1.
---
---Raises:
---- As `net.link`.
---```lua
---log.info("forwarding: %s", net.setting { "ipv4/ip_forward" })
---```
---@param options ktm.net.setting.options Which.
---@return string value what it is
function net.setting(options) end

---@class ktm.net.queues.options
---@field [1] string|ktm.Tunnel The device.
---@field netns? string The namespace: a path, or a name of `ip netns`; our own without it.

---What queues a device has, and whether they are a hold of katamaran.
---
---In actions, undos and looks; waits. Since api 1.
---
---Raises:
---- As `net.link`; `ENODEV` when there is no such device.
---```lua
---for _, queue in ipairs(net.queues { "tap0" }) do
---  log.info("%s", queue.kind)
---end
---```
---@param options ktm.net.queues.options Which.
---@return ktm.Queue[] queues the qdiscs of a device
function net.queues(options) end

---@class ktm.net.knows.options
---"ipip", "gre", "gretap", "ip6tnl", "ip6gre", "ip6gretap", "vxlan", "plug" or "tbf".
---@field [1] string
---@field netns? string The namespace: a path, or a name of `ip netns`; our own without it.

---Whether the kernel has tunnels, or for plug and tbf queues, of a kind. Nothing is made for it.
---Where a module for it lies on the disk and is not loaded it is "loadable", and is not loaded for
---the answer.
---
---In actions, undos and looks; waits. Since api 1.
---
---Raises:
---- As `net.link`; `EPERM` when katamaran may not change the network.
---```lua
---if net.knows { "plug" } == "none" then log.warn("the ring holds alone") end
---```
---@param options ktm.net.knows.options Which.
---@return string word "there", "loadable" or "none"
function net.knows(options) end

---@class ktm.net.watch.options
---@field on? string One device; all without it.
---@field netns? string The namespace: a path, or a name of `ip netns`; our own without it.

---Makes events of what changes, whoever changes it: `net:link` (`link`, `gone`, `up`, `carrier`,
---`mtu`, `queue_length`), `net:route` (`link`, `gone`, `to`, `via`), `net:qdisc` (`link`, `gone`,
---`kind`), `net:neighbour` (`link`, `gone`, `address`). `net:overrun` says that some were lost,
---also when an action has let 512 of them wait; `net:end` that no more will come.
---
---In actions and undos. Since api 1.
---
---Raises:
---- `invalid` `bad-argument`: an option is unknown, or there are 16 watches already.
---- `io`, with the kernel's code: the kernel refused, or there is no such namespace.
---```lua
---net.watch { on = "tap0" }
---```
---@param options? ktm.net.watch.options What is watched.
---@return ktm.Handle watch its release() ends it, and so does the end of the run
function net.watch(options) end
