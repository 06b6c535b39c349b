import ArgumentParser

@main
struct Plumbline: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plumbline",
        abstract: "Stream processing on an append-only log that anyone can replay and check.",
        subcommands: [Import.self, Export.self, Topics.self])
}
