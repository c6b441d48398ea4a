internal import ApusTraffic

/// Writes a line for every log whose filter passes, into the loop's buffer for the log's file.
internal enum AccessLogging {
    static func write(
        _ logs: [AccessLog], _ worker: Worker, request: HTTPHead?, response: HTTPHead?,
        trailers: HTTPHead? = nil, facts: StreamFacts, draw: Draw? = nil
    ) {
        for log in logs {
            if let filter = log.filter,
                !filter.passes(request: request, facts: facts, draw: draw ?? Draw(worker.random.next()))
            {
                continue
            }
            let buffer = worker.logBuffer(log.sink)
            log.write(into: &buffer.bytes, request: request, response: response, trailers: trailers, facts: facts)
            worker.logWritten(buffer)
        }
    }
}
