internal import Foundation

/// A signal is heard and no longer ends the process.
private func hear(_ number: Int32, _ action: @escaping @Sendable () -> Void) -> any DispatchSourceSignal {
    signal(number, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
    source.setEventHandler(handler: action)
    source.resume()
    return source
}

/// SIGUSR1, as often as it comes: whoever rotates the access logs asks for the files to be opened anew.
final class ReopenSignal {
    private let source: any DispatchSourceSignal

    init(_ action: @escaping @Sendable () -> Void) { source = hear(SIGUSR1, action) }

    func cancel() { source.cancel() }
}

/// SIGTERM and SIGINT, once.
enum StopSignal {
    static func wait() async {
        let (signals, continuation) = AsyncStream<Void>.makeStream()
        let sources = [SIGTERM, SIGINT].map { hear($0) { continuation.yield() } }
        for await _ in signals { break }
        for source in sources { source.cancel() }
    }
}
