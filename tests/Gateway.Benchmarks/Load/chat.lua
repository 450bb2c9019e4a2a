-- One chat request, sent over and over. Prints one line of numbers at the end:
--   requests microseconds bytes errors p99-microseconds
-- BENCH_STREAM=1 asks for a stream. BENCH_KEY goes to every target alike, so that all of them read the same bytes.

local stream = os.getenv("BENCH_STREAM") == "1"

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer " .. (os.getenv("BENCH_KEY") or "none")
wrk.body = '{"model":"model/name=bench","messages":[{"role":"system","content":"You are a helpful assistant."},'
  .. '{"role":"user","content":"Say something of three hundred characters, please."}],"temperature":0.2'
  .. (stream and ',"stream":true,"stream_options":{"include_usage":true}' or '') .. '}'

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %d %d %d\n", summary.requests, summary.duration, summary.bytes,
    e.connect + e.read + e.write + e.status + e.timeout, latency:percentile(99)))
end
