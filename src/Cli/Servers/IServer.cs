using Microsoft.Extensions.Hosting;

namespace GrayMQ.Cli.Servers;

/// <summary>What a server command runs: one server or several that live and die together.</summary>
internal interface IServer : IHostedService, IAsyncDisposable
{
    /// <summary>The line that says where it serves; known once it is started.</summary>
    string ReadyLine { get; }
}
