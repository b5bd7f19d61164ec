-- SPDX-License-Identifier: Apache-2.0
-- script/prelude.lua: the words of plans that are easier said in Lua than in C++.
--
-- Runs once in each interpreter, trusted, before any plan. `native` has the functions of C++; those
-- that wait return true and their results, or false and an error. Gives back the words that a plan
-- sees, and what the runner calls itself.
local native, library = ...
local error, type, pcall = library.error, library.type, library.pcall
local string, table, math = library.string, library.table, library.math
local frozen, format, told = native.frozen, native.format, native.told
local charged = native.charged

local function finish(ok, ...)
  if ok then return ... end
  error((...), 0)
end

local function attempt(ok, ...)
  if ok then return ... end
  return nil, (...)
end

local text_words = {
  byte = string.byte, char = string.char, len = string.len, lower = charged(string.lower),
  rep = string.rep, reverse = charged(string.reverse), sub = string.sub,
  upper = charged(string.upper),
  find = native.find, match = native.match, gsub = native.gsub, gmatch = native.gmatch,
  format = format,
}
native.text_methods(text_words)

-- Virtual machines --------------------------------------------------------------------------------

--- Where there may still be a QEMU: somebody was there, and did not talk to us.
local worth_another_try = { lost = true, timeout = true, protocol = true }

--- An undo must reach its QEMU also when the connection was what went wrong, and more than once, as
--- long as it has time. Why it cannot be reached; nothing when it was.
local function unreachable(is_lost, vm)
  while is_lost(vm) do
    local there, problem = attempt(native.reconnect(vm))
    if there == nil and not worth_another_try[problem.kind] then return problem end
    if there == nil then finish(native.sleep(20)) end
  end
end

local function reach(vm)
  local problem = unreachable(native.is_lost, vm)
  if problem then error(problem, 0) end
end

--- What takes a migration back, by its function: who recovers can do the same without us.
local guest_undos = {}

--- What nobody listens at was left by a QEMU that has ended, and with it what was changed there.
local is_gone = { ENOENT = true, ECONNREFUSED = true }

local function guest_undo(wish, before)
  local function action()
    local lost = unreachable(native.is_lost, "")
    local done, problem
    repeat
      if lost and wish ~= "wake" and is_gone[lost.code] then return end
      if lost then error(lost, 0) end
      done, problem = attempt(native.guest(wish, before))
      local again = done == nil and problem.kind == "lost"
      if again then
        finish(native.sleep(20))
        lost = unreachable(native.has_parted, "")
      end
    until not again
    if done == nil then error(problem, 0) end
  end
  guest_undos[action] = { wish, before }
  return action
end

local function monitor(vm, words)
  words.try = function(command, arguments, options)
    reach(vm)
    return attempt(native.qmp(vm, command, arguments, options))
  end
  words.enable = function(...)
    finish(native.qmp(vm, "migrate-set-capabilities", native.capabilities(...)))
  end
  return frozen("qmp", words, function(_, command, arguments, options)
    reach(vm)
    return finish(native.qmp(vm, command, arguments, options))
  end)
end

--- A QEMU that was begun anew may not be there yet.
local function connect_again()
  while native.has_parted() do
    local there, problem = attempt(native.reconnect(""))
    if there == nil and not worth_another_try[problem.kind] and not is_gone[problem.code] then
      error(problem, 0)
    end
    if there == nil then finish(native.sleep(20)) end
  end
end

local function connect(path, name)
  local vm = finish(native.connect(path, name))
  return monitor(vm, { name = vm, release = function() native.disconnect(vm) end })
end

-- Programs ----------------------------------------------------------------------------------------

--- What undoes a program is registered before the program is begun: it may be killed half-way.
local function register_undo_of(program)
  local before = native.exec_undo(program)
  return before and native.register("undo", before.what, nil, function()
    finish(native.exec(before.program))
  end)
end

local function try_exec(program)
  return attempt(native.exec(program, register_undo_of(program)))
end

local function exec(_, program) return finish(native.exec(program, register_undo_of(program))) end

-- Holds -------------------------------------------------------------------------------------------

local function hold(_, handle, options)
  native.check_handle(handle)
  if handle.registered then return handle end
  local give_back, gone, entry = handle.release, false, nil
  local function release()
    if gone then return end
    give_back(handle)
    gone = true
    native.released(entry)
  end
  entry = native.register("hold", handle.what, options, release)
  handle.release = release
  return handle
end

-- Undos -------------------------------------------------------------------------------------------

--- One that is known to who recovers is written down, and struck out when it is done or dropped.
local function undo(_, what, action, options)
  local known, written = guest_undos[action], nil
  local function strike_out(strike)
    if written then strike(written) end
    written = nil
  end
  local entry = native.register("undo", what, options, known and function(m)
    action(m)
    strike_out(native.guest_undone)
  end or action)
  if known then written = native.write_guest(known[1], known[2]) end
  return {
    what = what,
    drop = function()
      -- First on paper: else whoever recovers would still do it.
      strike_out(native.drop_guest)
      native.released(entry, true)
    end,
  }
end

-- Looks ------------------------------------------------------------------------------------------

--- What cannot be learned is a finding, too; what a plan does wrong is not.
local untold = {
  refused = "unknown", io = "unknown", timeout = "bad", lost = "bad", protocol = "bad",
}

local function look_at(what, action)
  native.looking()
  local went, problem = pcall(action)
  local state = not went and type(problem) == "table" and untold[problem.kind]
  -- That there is no VM was found before.
  if state and problem.code == "no-vm" then state = "unknown" end
  if went or not state then return finish(went, problem) end
  local words = format("%s", problem)
  -- One that the plan itself has made has no words but these.
  if words == "table" and problem.what then words = format("%s", problem.what) end
  native["look_" .. state](what, words, state == "bad" and "see why it does not answer" or nil)
end

-- Which globals the functions inside a chunk name -------------------------------------------------

local funcinfo, funcbc, funck = native.funcinfo, native.funcbc, native.funck
local reads = funcbc(native.compile "return x", 1) % 256
local writes = funcbc(native.compile "x = 1", 2) % 256

local function note_globals(function_or_proto, found)
  for pc = 1, funcinfo(function_or_proto).bytecodes - 1 do
    local instruction = funcbc(function_or_proto, pc)
    local operation = instruction % 256
    if operation == reads or operation == writes then
      found[#found + 1] = funck(function_or_proto, -1 - math.floor(instruction / 65536))
      found[#found + 1] = funcinfo(function_or_proto, pc).currentline
      found[#found + 1] = operation == writes
    end
  end
end

local function each_child(parent, visit)
  if not funcinfo(parent).children then return end
  local at = -1
  local constant = funck(parent, at)
  while constant ~= nil do
    if type(constant) == "proto" then visit(constant) end
    at = at - 1
    constant = funck(parent, at)
  end
end

local function globals_in_functions(chunk)
  local found = {}
  local function visit(child)
    note_globals(child, found)
    each_child(child, visit)
  end
  each_child(chunk, visit)
  return found
end

return {
  words = {
    assert = library.assert, error = error, ipairs = library.ipairs, pairs = native.pairs,
    pcall = pcall, select = library.select, tonumber = library.tonumber,
    tostring = native.text_of, type = type, unpack = library.unpack,
    string = frozen("string", text_words),
    table = frozen("table", {
      concat = charged(table.concat), insert = charged(table.insert),
      remove = charged(table.remove), sort = charged(table.sort),
    }),
    math = frozen("math", {
      abs = math.abs, ceil = math.ceil, floor = math.floor, fmod = math.fmod, huge = math.huge,
      log = math.log, max = math.max, min = math.min, modf = math.modf, sqrt = math.sqrt,
    }),
    qmp = monitor("", {
      connect = connect, reconnect = connect_again,
      wake = guest_undo("wake"), quit = guest_undo("end"),
      restore = function(before) return guest_undo("restore", native.guest_before(before)) end,
    }),
    exec = frozen("exec", { try = try_exec }, exec),
    wait = function(pattern) return finish(native.wait(pattern)) end,
    sleep = function(duration) finish(native.sleep(duration)) end,
    timer = frozen("timer", {
      after = native.timer_after, every = native.timer_every, cancel = native.timer_cancel,
    }),
    emit = native.emit,
    peer = frozen("peer", {
      send = native.peer_send, reply = native.peer_reply,
      ask = function(word, data, options) return finish(native.peer_ask(word, data, options)) end,
      address = native.peer_address, own_address = native.peer_own_address,
      keys = native.peer_keys,
      round_trip = native.peer_round_trip, clock_offset = native.peer_clock_offset,
      silence = native.peer_silence,
    }),
    look = frozen("look", {
      ok = native.look_ok, warn = native.look_warn, bad = native.look_bad,
      unknown = native.look_unknown, same = native.look_same, alike = native.look_alike,
      at = look_at,
    }),
    now = native.now,
    fs = frozen("fs", { read = native.read_file, exists = native.file_exists }),
    log = frozen("log", {
      debug = told("debug", format), info = told("info", format), warn = told("warn", format),
      error = told("error", format),
    }),
    progress = told("progress", format),
    list = native.list,
    require = native.require,
  },
  hold = hold,
  undo = undo,
  globals_in_functions = globals_in_functions,
}
