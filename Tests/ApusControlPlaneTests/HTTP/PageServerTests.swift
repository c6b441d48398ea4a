import ApusControlPlane
import Foundation
import NIOCore
import NIOPosix
import Testing

@Suite(.serialized) struct PageServerTests {
    /// Calls with the port of a server. The calls block, so they have a thread of their own: the server answers from the
    /// threads that tests share.
    private func serving(_ body: @escaping @Sendable (Int) throws -> Void) async throws {
        let server = try await PageServer.start(host: "127.0.0.1", port: 0, group: .singleton) { request in
            if request.path == "/none" { return .notFound("nothing") }
            return Page(body: "\(request.method) \(request.path) \(request.isLocal) \(request.query["q"] ?? "-")")
        }
        let port = try #require(server.address?.port)
        let result = await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: Result { try body(port) }) }
        }
        await server.stop()
        try result.get()
        #expect(RawConnection(port: port) == nil)
    }

    @Test func aConnectionIsKeptForTheNextRequest() async throws {
        try await serving { port in
            let connection = try #require(RawConnection(port: port))
            connection.send("GET /a?q=1 HTTP/1.1\r\nhost: x\r\n\r\n")
            let first = try #require(connection.response())
            #expect(first.head.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(first.head.contains("content-type: application/json"))
            #expect(first.body == "GET /a true 1")
            connection.send("GET /none HTTP/1.1\r\nhost: x\r\n\r\n")
            let second = try #require(connection.response())
            #expect(second.head.hasPrefix("HTTP/1.1 404 "))
            #expect(second.body == "nothing\n")
        }
    }

    @Test func requestsOfOnePacketAreAnsweredInOrder() async throws {
        try await serving { port in
            let connection = try #require(RawConnection(port: port))
            connection.send((1...5).map { "GET /\($0) HTTP/1.1\r\nhost: x\r\n\r\n" }.joined())
            for number in 1...5 { #expect(connection.response()?.body == "GET /\(number) true -") }
        }
    }

    @Test func headTellsTheLengthAndSendsNoBody() async throws {
        try await serving { port in
            let connection = try #require(RawConnection(port: port))
            connection.send("HEAD /a HTTP/1.1\r\nhost: x\r\n\r\n")
            let head = try #require(connection.response(hasBody: false)).head
            #expect(head.contains("content-length: \("HEAD /a true -".utf8.count)"))
            connection.send("GET /b HTTP/1.1\r\nhost: x\r\n\r\n")
            #expect(connection.response()?.body == "GET /b true -")
        }
    }

    @Test func aClientThatAsksForItIsClosed() async throws {
        try await serving { port in
            for request in ["GET /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", "GET /a HTTP/1.0\r\n\r\n"] {
                let connection = try #require(RawConnection(port: port))
                connection.send(request)
                #expect(connection.response()?.head.contains("connection: close") == true)
                #expect(connection.isEnded)
            }
        }
    }

    @Test func smallBodiesArePassedOverAndLargeOnesEndTheConnection() async throws {
        try await serving { port in
            let small = try #require(RawConnection(port: port))
            small.send("POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nbody")
            #expect(small.response()?.body == "POST /a true -")
            let large = try #require(RawConnection(port: port))
            let count = PageServer.bodyLimit + 1
            large.send("POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: \(count)\r\n\r\n")
            large.send(String(repeating: "x", count: count))
            #expect(large.response() == nil)
        }
    }

    @Test func oversizedHeadsAndNoiseAreRefused() async throws {
        try await serving { port in
            let large = try #require(RawConnection(port: port))
            large.send("GET /a HTTP/1.1\r\nhost: x\r\nlong: \(String(repeating: "x", count: 1 << 20))\r\n\r\n")
            #expect(large.response()?.head.hasPrefix("HTTP/1.1 200") != true)
            let noise = try #require(RawConnection(port: port))
            noise.send("\u{16}\u{3}\u{1} hello\r\n\r\n")
            #expect(noise.response()?.head.hasPrefix("HTTP/1.1 200") != true)
            // Others are served all the same.
            let good = try #require(RawConnection(port: port))
            good.send("GET /a HTTP/1.1\r\nhost: x\r\n\r\n")
            #expect(good.response()?.body == "GET /a true -")
        }
    }

    @Test func connectionsOverTheLimitAreClosedAndRoomIsMadeAgain() async throws {
        try await serving { port in
            var open: [RawConnection] = []
            for _ in 0..<PageServer.connectionLimit {
                let connection = try #require(RawConnection(port: port))
                connection.send("GET /a HTTP/1.1\r\nhost: x\r\n\r\n")
                try #require(connection.response() != nil)
                open.append(connection)
            }
            let over = try #require(RawConnection(port: port))
            over.send("GET /a HTTP/1.1\r\nhost: x\r\n\r\n")
            #expect(over.response() == nil)
            open[0].send("GET /a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            #expect(open[0].response() != nil)
            #expect(open[0].isEnded)
            // The server counts a connection down after the client sees its end.
            var served = false
            for _ in 0..<1000 where !served {
                guard let connection = RawConnection(port: port) else { continue }
                connection.send("GET /a HTTP/1.1\r\nhost: x\r\n\r\n")
                served = connection.response() != nil
            }
            #expect(served)
        }
    }
}
