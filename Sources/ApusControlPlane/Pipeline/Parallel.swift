internal import Foundation
internal import Synchronization

enum Parallel {
    /// The results in the order of the inputs, made on all cores. Blocks until all are there.
    static func map<Input: Sendable, Output: Sendable>(
        _ inputs: [Input], _ body: @Sendable (Input) -> Output
    ) -> [Output] {
        // A handful is done faster than threads are woken.
        guard inputs.count > 16 else { return inputs.map(body) }
        let chunk = 64
        let chunks = (inputs.count + chunk - 1) / chunk
        let results = Mutex<[Int: [Output]]>([:])
        DispatchQueue.concurrentPerform(iterations: chunks) { index in
            let part = inputs[(index * chunk)..<min((index + 1) * chunk, inputs.count)].map(body)
            results.withLock { $0[index] = part }
        }
        let done = results.withLock { $0 }
        return (0..<chunks).flatMap { done[$0] ?? [] }
    }
}
