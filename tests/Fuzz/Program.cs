using System.CommandLine;
using GrayMQ.Fuzz.Targets;

namespace GrayMQ.Fuzz;

/// <summary>
/// Throws what nobody should send at each parser: <c>dotnet run --project tests/Fuzz -- TARGET|all|list [--seconds N] [--seed S]
/// [--input FILE] [--output DIR]</c>. Ends with 1 when something was found; the input is then in a file, to be run again.
/// </summary>
internal static class Program
{
    public const int Found = 1;
    private const int UsageError = 2;

    private static readonly FuzzTarget[] Targets =
    [
        new FrameTarget(),
        new ProxyHeaderTarget(),
        new GrpcFrameTarget(),
        new HeaderTarget("json-header", type: 0),
        new HeaderTarget("binary-header", type: 1),
        new StoredMessageTarget(),
        new BatchBodyTarget(),
        new PropertiesTarget(),
        new BodyTarget(),
        new RegistrationTarget(),
        new TagExpressionTarget(),
        FilterExpressionTarget.Sql92,
        FilterExpressionTarget.Header,
        new PropertyReaderTarget(),
        new CompactSetTarget(),
        new KeptAnswersTarget(),
        new SettingsFileTarget(),
        new StoreRecoveryTarget(),
        new ServerTarget(),
    ];

    public static Task<int> Main(string[] args)
    {
        var name = new Argument<string>("target") { Description = "all, list, or one of: " + string.Join(", ", Targets.Select(target => target.Name)) };
        var seconds = new Option<double>("--seconds") { Description = "Time for all targets together", DefaultValueFactory = _ => 30 };
        var seed = new Option<int?>("--seed") { Description = "The same seed makes the same inputs" };
        var input = new Option<FileInfo?>("--input") { Description = "Runs this one input" };
        var output = new Option<string>("--output") { Description = "Where inputs that found something go", DefaultValueFactory = _ => "." };
        var root = new RootCommand("Throws what nobody should send at each parser.") { name, seconds, seed, input, output };
        root.SetAction(parsed => Run(
            parsed.GetRequiredValue(name),
            TimeSpan.FromSeconds(parsed.GetValue(seconds)),
            parsed.GetValue(seed) ?? Random.Shared.Next(),
            parsed.GetValue(input),
            parsed.GetRequiredValue(output)));
        return root.Parse(args).InvokeAsync();
    }

    private static int Run(string name, TimeSpan time, int seed, FileInfo? input, string output)
    {
        if (name == "list")
        {
            Array.ForEach(Targets, target => Console.WriteLine(target.Name));
            return 0;
        }

        FuzzTarget[] chosen = name == "all" ? Targets : [.. Targets.Where(target => target.Name == name)];
        if (chosen.Length == 0)
        {
            Console.Error.WriteLine($"there is no target '{name}': expected all, list, {string.Join(", ", Targets.Select(target => target.Name))}");
            return UsageError;
        }

        bool clean = true;
        foreach (FuzzTarget target in chosen)
        {
            var loop = new FuzzLoop(target, seed, output);
            clean &= input is null ? loop.Run(time / chosen.Length) : loop.Replay(File.ReadAllBytes(input.FullName));
        }

        return clean ? 0 : Found;
    }
}
