namespace GrayMQ.Cli.Tests.Support;

/// <summary>A command that runs in this process until it is told to stop.</summary>
internal sealed class RunningCommand : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Task<int> _running;

    public RunningCommand(params string[] arguments)
        : this(arguments, new Dictionary<string, string>())
    {
    }

    public RunningCommand(IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> variables)
    {
        CommandContext context = TestCommand.Context(Output, Error) with { Variables = variables };
        _running = Task.Run(() => GrayMQCommand.RunAsync(arguments, context, _stop.Token));
    }

    public WatchedWriter Output { get; } = new();

    public WatchedWriter Error { get; } = new();

    /// <summary>What it wrote, once it wrote <paramref name="part"/>.</summary>
    public Task<string> WaitForAsync(string part) => Output.WaitForAsync(part, _running);

    /// <summary>Stops it as a signal does; its exit code.</summary>
    public async Task<int> StopAsync()
    {
        await _stop.CancelAsync();
        return await _running.WaitAsync(TestCommand.Timeout);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
        await Output.DisposeAsync();
        await Error.DisposeAsync();
    }
}
