-- One request, sent over and over. BENCH_BODY: the file with its body. BENCH_HEADERS: "name: value" lines, sent to every
-- system alike. Prints one line of numbers at the end:
--   RESULT requests microseconds bytes errors p50-microseconds p99-microseconds

local file = assert(io.open(os.getenv("BENCH_BODY"), "rb"))
wrk.method = "POST"
wrk.body = file:read("*a")
file:close()

wrk.headers["Content-Type"] = "application/json"
for name, value in os.getenv("BENCH_HEADERS"):gmatch("([^:\n]+): ([^\n]+)") do
  wrk.headers[name] = value
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %d %d %d %d\n", summary.requests, summary.duration, summary.bytes,
    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(50), latency:percentile(99)))
end
