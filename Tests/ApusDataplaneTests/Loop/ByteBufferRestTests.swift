import ApusDataplane
import NIOCore
import Testing

@Suite struct ByteBufferRestTests {
    @Test func whatWasTakenDoesNotStayInMemory() {
        var input = ByteBuffer()
        for _ in 0..<2000 {
            var read = ByteBuffer(repeating: 7, count: 8192)
            input.append(read: &read)
            // A codec that always leaves a beginning.
            input.moveReaderIndex(to: input.writerIndex - 100)
            #expect(input.readableBytes == 100)
        }
        #expect(input.storageCapacity <= 32 << 10)
    }

    @Test func bytesStayInOrderAlsoWhereTheMemoryIsShared() {
        var input = ByteBuffer(string: "abcdef")
        input.moveReaderIndex(forwardBy: 4)
        let shared = input
        var read = ByteBuffer(string: "ghi")
        input.append(read: &read)
        #expect(String(buffer: input) == "efghi")
        #expect(String(buffer: shared) == "ef")
    }
}
