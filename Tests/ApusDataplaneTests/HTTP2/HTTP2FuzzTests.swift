import ApusDataplane
import ApusTraffic
import NIOCore
import Testing

/// Octets that nobody would send, made from those of the table of cases: no input may trap, and whatever the peer sends,
/// what the machine holds and writes stays within its limits. The seed is fixed, so a failure comes again.
@Suite("HTTP/2, mutated input") struct HTTP2FuzzTests {
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    private func mutate(_ frames: [Frame], _ generator: inout Generator) -> [UInt8] {
        var frames = frames
        for _ in 0..<Int.random(in: 0...2, using: &generator) where !frames.isEmpty {
            let index = Int.random(in: 0..<frames.count, using: &generator)
            switch Int.random(in: 0...2, using: &generator) {
            case 0: frames.insert(frames[index], at: Int.random(in: 0...frames.count, using: &generator))
            case 1: frames.remove(at: index)
            default: frames.swapAt(index, Int.random(in: 0..<frames.count, using: &generator))
            }
        }
        var bytes = frames.flatMap(\.bytes)
        for _ in 0..<Int.random(in: 0...6, using: &generator) where !bytes.isEmpty {
            let index = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0...4, using: &generator) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &generator)
            case 1: bytes[index] ^= 1 << UInt8.random(in: 0...7, using: &generator)
            case 2: bytes.remove(at: index)
            case 3: bytes.insert([0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &generator) ?? 0, at: index)
            default: bytes.removeLast(Int.random(in: 0...min(20, bytes.count), using: &generator))
            }
        }
        return bytes
    }

    @Test("no input traps or outgrows the limits", arguments: [UInt64(1), 2, 3, 4])
    func mutated(seed: UInt64) {
        var generator = Generator(state: seed)
        let cases = HTTP2ConformanceTests.allCases
        for _ in 0..<5000 {
            guard let one = cases.randomElement(using: &generator), let two = cases.randomElement(using: &generator)
            else { return }
            var peer = FramePeer.ready(one.role, one.options)
            var own: [HTTP2Stream] = []
            if one.role == .client {
                for _ in 0..<3 {
                    let opened = peer.machine.openStream(
                        HTTPHead(method: "POST", path: "/", authority: "a"), endStream: false)
                    if let opened { own.append(opened) }
                }
            }
            peer.receive(mutate(one.frames, &generator), step: Int.random(in: 1...64, using: &generator))
            // The owner acts on whatever streams there are, open or not.
            for stream in own + Array(peer.streams.values) {
                if one.role == .server { peer.machine.sendHead(stream, HTTPHead(status: 200), endStream: false) }
                peer.machine.sendData(
                    stream, ByteBuffer(repeating: 65, count: 70_000), endStream: Bool.random(using: &generator))
                if Bool.random(using: &generator) { peer.machine.reset(stream, .cancel) }
            }
            peer.receive(mutate(two.frames, &generator))
            #expect(peer.machine.head.storage.count <= 2 * one.options.maxHeadBytes)
            #expect(peer.machine.activeStreams <= Int(one.options.maxConcurrentStreams))
            #expect(peer.machine.out.readableBytes < 1 << 20)
        }
    }
}
