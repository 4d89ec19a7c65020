using System.Diagnostics;
using System.Text.Json.Nodes;

namespace GrayMQ.Chaos.Rolling.Npm;

/// <summary>Sends by gRPC, with the tries that the client makes by itself.</summary>
internal sealed class GrpcProducer(LoadSettings settings, string script, SendRecord record) : ILoad
{
    private readonly CancellationTokenSource _stop = new();
    private readonly GrpcScript _node = new(script);
    private Task _running = Task.CompletedTask;

    public async Task StartAsync()
    {
        await _node.CallAsync(new JsonObject
        {
            ["call"] = "producer",
            ["endpoints"] = settings.GrpcEndpoint,
            ["ssl"] = false,
            ["topics"] = new JsonArray(record.Topic),
        });
        _running = Task.Run(RunAsync);
    }

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await _node.DisposeAsync();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        for (int number = 0; !_stop.IsCancellationRequested; number++)
        {
            string body = $"grpc-{number}";
            long begun = Stopwatch.GetTimestamp();
            try
            {
                await _node.CallAsync(new JsonObject { ["call"] = "send", ["topic"] = record.Topic, ["body"] = body });
                record.Acknowledge(body, begun);
            }
            catch (Exception e) when (e is IOException or TimeoutException)
            {
                record.Fail("grpc", e.Message, begun);
            }

            await Task.Delay(settings.Pause, CancellationToken.None);
        }
    }
}
