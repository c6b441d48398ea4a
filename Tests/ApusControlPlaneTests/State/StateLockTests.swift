import ApusControlPlane
import Testing

@Suite("A state folder belongs to one control plane")
struct StateLockTests {
    private let folder = TemporaryFolder()

    @Test("The second is refused, with the folder and the process that has it; after the first is gone it may have it")
    func exclusion() throws {
        let state = try StateFolder(folder.file("state"))
        var first: StateLock? = try StateLock.take(in: state)
        #expect(first != nil)
        let holder = try folder.read("state/lock")
        let refusal = #expect(throws: StateFolder.Failure.self) { try StateLock.take(in: state) }
        #expect(refusal?.description.contains("process \(holder),") == true)
        #expect(refusal?.description.contains(state.path) == true)
        first = nil
        _ = try StateLock.take(in: state)
    }

    @Test("Folders of their own do not disturb each other")
    func others() throws {
        let one = try StateLock.take(in: StateFolder(folder.file("one")))
        let two = try StateLock.take(in: StateFolder(folder.file("two")))
        withExtendedLifetime((one, two)) {}
    }
}
