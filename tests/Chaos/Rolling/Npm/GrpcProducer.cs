using System.Diagnostics;
using System.Text.Json.Nodes;

namespace GrayMQ.Chaos.Rolling.Npm;

/// <summary>Sends by gRPC, with the tries that the client makes by itself.</summary>
internal sealed class GrpcProducer(LoadSettings settings, string script, SendRecord record) : RunningLoad
{
    private readonly GrpcScript _node = new(script);

    protected override async Task ConnectAsync()
    {
        await _node.CallAsync(new JsonObject
        {
            ["call"] = "producer",
            ["endpoints"] = settings.GrpcEndpoint,
            ["ssl"] = false,
            ["topics"] = new JsonArray(record.Topic),
        });
    }

    protected override ValueTask CloseAsync() => _node.DisposeAsync();

    protected override async Task RunAsync(CancellationToken stop)
    {
        for (int number = 0; !stop.IsCancellationRequested; number++)
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
