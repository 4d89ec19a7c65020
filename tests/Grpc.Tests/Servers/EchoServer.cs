using System.Net;
using Google.Protobuf.WellKnownTypes;
using GrayMQ.Grpc.Calls;
using GrayMQ.Grpc.Framing;
using GrayMQ.Grpc.Servers;
using GrayMQ.Remoting.Transports;
using Microsoft.Extensions.Logging.Abstractions;

namespace GrayMQ.Grpc.Tests.Servers;

/// <summary>A server with a method of each kind, on a port of its own.</summary>
internal sealed class EchoServer : IAsyncDisposable
{
    public const int MaxMessageBytes = 256 * 1024;

    private readonly GrpcServer _server;

    private EchoServer(GrpcServerOptions options, ListeningSockets? sockets)
    {
        MethodTable methods = new MethodTable()
            .Unary<StringValue, StringValue>("/test.Echo/Unary", (_, request) => new(new StringValue { Value = request.Value }))
            .Unary<StringValue, StringValue>("/test.Echo/Refuse", (_, request) => throw new GrpcException(
                GrpcStatusCode.NotFound, request.Value, "NOT_HERE"))
            .Unary<StringValue, StringValue>("/test.Echo/Throw", (_, request) => throw new InvalidOperationException(request.Value))
            .Unary<StringValue, StringValue>("/test.Echo/Never", async (call, _) =>
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, call.Cancelled);
                return new StringValue();
            })
            .ServerStreaming<Int32Value>("/test.Echo/Count", async (call, request) =>
            {
                for (int i = 0; i < request.Value; i++)
                {
                    await call.WriteAsync(new Int32Value { Value = i });
                }
            })
            .ServerStreaming<Int32Value>("/test.Echo/Flood", async (call, request) =>
            {
                var chunk = new StringValue { Value = new string('x', request.Value) };
                try
                {
                    while (true)
                    {
                        await call.WriteAsync(chunk);
                        Interlocked.Increment(ref _flooded);
                    }
                }
                finally
                {
                    FloodEnded.TrySetResult();
                }
            })
            .Duplex<StringValue>("/test.Echo/Duplex", async (call, parser) =>
            {
                try
                {
                    while (await call.ReadAsync(parser, call.Stopping) is { } message)
                    {
                        await call.WriteAsync(message);
                    }
                }
                catch (OperationCanceledException) when (call.Stopping.IsCancellationRequested)
                {
                    await call.WriteAsync(new StringValue { Value = "leaving" });
                }
            });
        _server = new GrpcServer(options, methods, TimeProvider.System, NullLoggerFactory.Instance, sockets);
    }

    private int _flooded;

    /// <summary>Messages that the flood has got rid of.</summary>
    public int Flooded => Volatile.Read(ref _flooded);

    public TaskCompletionSource FloodEnded { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public IPEndPoint EndPoint => _server.EndPoint;

    public static async Task<EchoServer> StartAsync(
        Func<GrpcServerOptions, GrpcServerOptions>? change = null, ListeningSockets? sockets = null)
    {
        var options = new GrpcServerOptions
        {
            EndPoint = new IPEndPoint(IPAddress.Loopback, 0),
            MaxMessageBytes = MaxMessageBytes,
        };
        var server = new EchoServer(change?.Invoke(options) ?? options, sockets);
        await server._server.StartAsync();
        return server;
    }

    public Task StopAsync() => _server.StopAsync();

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _server.StopAsync(now.Token);
        await _server.DisposeAsync();
    }
}
