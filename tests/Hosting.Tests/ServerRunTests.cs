using GrayMQ.Settings;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace GrayMQ.Hosting.Tests;

public sealed class ServerRunTests : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _hurry = new();

    [Fact]
    public async Task RunAsync_ToldToStop_StopsBeforeItDisposes()
    {
        var server = new Server();

        int exitCode = await RunAsync(server, ready: () => _stop.Cancel());

        Assert.Equal(0, exitCode);
        Assert.Equal(["start", "stop", "dispose"], server.Calls);
        Assert.Equal("ready\n", _output.ToString());
    }

    [Fact]
    public async Task RunAsync_ServerThatOthersCountOn_LeavesBeforeItStops()
    {
        var server = new LeavingServer();
        Task<int> running = RunAsync(server, ready: () => _stop.Cancel());
        await server.Leaving.Task.WaitAsync(Timeout);
        Assert.Equal(["start", "drain"], server.Calls);

        server.Left.SetResult();

        Assert.Equal(0, await running);
        Assert.Equal(["start", "drain", "stop", "dispose"], server.Calls);
    }

    [Fact]
    public async Task RunAsync_InAHurry_TellsTheServerThatLeaves()
    {
        var server = new LeavingServer();
        Task<int> running = RunAsync(server, ready: () => _stop.Cancel());
        await server.Leaving.Task.WaitAsync(Timeout);

        await _hurry.CancelAsync();

        Assert.Equal(0, await running);
        Assert.Equal(["start", "drain", "stop", "dispose"], server.Calls);
    }

    [Fact]
    public async Task RunAsync_StartFails_DisposesAndEndsWithOneMessage()
    {
        var server = new Server { Failure = new IOException("cannot listen on 127.0.0.1:1") };

        int exitCode = await RunAsync(server);

        Assert.Equal(ServerRun.Failure, exitCode);
        Assert.Equal(["start", "dispose"], server.Calls);
        Assert.Equal("", _output.ToString());
        Assert.Equal("test: cannot listen on 127.0.0.1:1\n", _error.ToString());
    }

    [Fact]
    public async Task RunAsync_ReplacedWhileItLeaves_StopsAtOnce()
    {
        var server = new LeavingServer();
        Task<int> running = RunAsync(server, ready: () => _stop.Cancel());
        await server.Leaving.Task.WaitAsync(Timeout);

        server.ReplacedBy.SetResult();

        Assert.Equal(0, await running);
        Assert.Equal(["start", "drain", "stop", "dispose"], server.Calls);
    }

    [Fact]
    public async Task RunAsync_FailsForNoReasonKnown_SaysHowToFindOutMore()
    {
        int exitCode = await RunAsync(new Server { Failure = new InvalidOperationException("oops") });

        Assert.Equal(ServerRun.Failure, exitCode);
        Assert.Equal(
            "test: InvalidOperationException: oops (this should not happen; the log shows where it did at level debug)\n", _error.ToString());
    }

    [Fact]
    public async Task RunAsync_StoppedWhileItStarts_IsNoFailure()
    {
        await _stop.CancelAsync();

        int exitCode = await RunAsync(new Server());

        Assert.Equal(0, exitCode);
        Assert.Equal("", _output.ToString());
    }

    [Fact]
    public async Task RunAsync_Warnings_AreLogged()
    {
        var warning = new SettingProblem("key", null, "has no meaning here", SettingPlace.File("broker.conf", 3));

        await RunAsync(new Server(), [warning], () => _stop.Cancel());

        Assert.Contains("WARN  test  broker.conf:3: key: has no meaning here", _error.ToString(), StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _output.Dispose();
        _error.Dispose();
        _stop.Dispose();
        _hurry.Dispose();
    }

    private Task<int> RunAsync<TServer>(TServer server, IEnumerable<SettingProblem>? warnings = null, Action? ready = null)
        where TServer : Server
    {
        var run = new ServerRun
        {
            Name = "test",
            Output = _output,
            Error = _error,
            Level = LogLevel.Warning,
            Warnings = warnings ?? [],
            Hurry = _hurry.Token,
        };
        return run.RunAsync(
            _ => server,
            _ =>
            {
                ready?.Invoke();
                return "ready";
            },
            _stop.Token).WaitAsync(Timeout);
    }

    private class Server : IHostedService, IAsyncDisposable
    {
        public List<string> Calls { get; } = [];

        public Exception? Failure { get; init; }

        public Task StartAsync(CancellationToken cancellationToken)
        {
            Calls.Add("start");
            cancellationToken.ThrowIfCancellationRequested();
            return Failure is null ? Task.CompletedTask : Task.FromException(Failure);
        }

        public virtual Task StopAsync(CancellationToken cancellationToken)
        {
            Calls.Add("stop");
            return Task.CompletedTask;
        }

        public ValueTask DisposeAsync()
        {
            Calls.Add("dispose");
            return ValueTask.CompletedTask;
        }
    }

    private sealed class LeavingServer : Server, IDrainable, IReplaceable
    {
        public TaskCompletionSource ReplacedBy { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Replaced => ReplacedBy.Task;

        public TaskCompletionSource Leaving { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Left { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async Task DrainAsync(CancellationToken hurry)
        {
            Calls.Add("drain");
            Leaving.SetResult();
            await using CancellationTokenRegistration hurried = hurry.Register(() => Left.TrySetResult());
            await Left.Task;
        }

        // As brokers do: what it leaves by ends with it.
        public override Task StopAsync(CancellationToken cancellationToken)
        {
            Left.TrySetResult();
            return base.StopAsync(cancellationToken);
        }
    }
}
