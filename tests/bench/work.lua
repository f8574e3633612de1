-- What wrk sends, and how it reports: one JSON line. After "--": pipeline=N sends N requests in one piece; list=FILE asks for
-- the paths of FILE in a seeded random order.

local function read_list(name)
    local requests = {}
    for path in io.lines(name) do
        requests[#requests + 1] = wrk.format("GET", path)
    end
    return requests
end

local function shuffle(list)
    math.randomseed(20)
    for i = #list, 2, -1 do
        local j = math.random(i)
        list[i], list[j] = list[j], list[i]
    end
end

function init(args)
    for _, option in ipairs(args) do
        local key, value = option:match("^(%w+)=(.*)$")
        if key == "pipeline" then
            local whole = wrk.format():rep(tonumber(value))
            wrk.format = function() return whole end
        elseif key == "list" then
            local requests, at = read_list(value), 0
            shuffle(requests)
            request = function()
                at = at % #requests + 1
                return requests[at]
            end
        end
    end
end

function done(summary, latency, _)
    local errors = summary.errors
    io.write(string.format('\n{"requests":%d,"bytes":%.0f,"us":%.0f,"p50_us":%.0f,"p99_us":%.0f,"p999_us":%.0f,' ..
        '"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}\n', summary.requests, summary.bytes, summary.duration,
        latency:percentile(50), latency:percentile(99), latency:percentile(99.9), errors.connect, errors.read, errors.write,
        errors.status, errors.timeout))
end
