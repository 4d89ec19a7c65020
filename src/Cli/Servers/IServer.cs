namespace GrayMQ.Cli.Servers;

/// <summary>What a server command runs: one server or several that live and die together.</summary>
internal interface IServer : IAsyncDisposable
{
    /// <summary>The line that says where it serves; known once it is started.</summary>
    string ReadyLine { get; }

    Task StartAsync(CancellationToken cancel);

    /// <summary>Answers what has been asked and closes; when <paramref name="cancel"/> is cancelled, what is left is cut off.</summary>
    Task StopAsync(CancellationToken cancel);
}
