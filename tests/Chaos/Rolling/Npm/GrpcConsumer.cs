using System.Text.Json.Nodes;

namespace GrayMQ.Chaos.Rolling.Npm;

/// <summary>Receives by gRPC, and acks each message.</summary>
internal sealed class GrpcConsumer(LoadSettings settings, string script, GroupRecord group) : RunningLoad
{
    private const int BatchSize = 32;
    private const int InvisibleMs = 10_000;
    private static readonly TimeSpan ErrorDelay = TimeSpan.FromMilliseconds(200);

    private readonly GrpcScript _node = new(script);

    protected override async Task ConnectAsync()
    {
        await _node.CallAsync(new JsonObject
        {
            ["call"] = "simple",
            ["endpoints"] = settings.GrpcEndpoint,
            ["ssl"] = false,
            ["group"] = group.Name,
            ["topic"] = group.Topic,
            ["expression"] = "*",
        });
    }

    protected override ValueTask CloseAsync() => _node.DisposeAsync();

    protected override async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                JsonNode? received = await _node.CallAsync(
                    new JsonObject { ["call"] = "receive", ["max"] = BatchSize, ["invisibleMs"] = InvisibleMs });
                (int Index, string Body)[] messages =
                    [.. received!.AsArray().Select(message => (message!["index"]!.GetValue<int>(), message["body"]!.GetValue<string>()))];
                foreach ((_, string body) in messages)
                {
                    group.Receive(body);
                }

                await Task.WhenAll(messages.Select(message => AckAsync(message.Index, message.Body)));
            }
            catch (Exception e) when (e is IOException or TimeoutException)
            {
                // A broker that is away; the others are asked next.
                await Task.Delay(ErrorDelay, CancellationToken.None);
            }
        }
    }

    private async Task AckAsync(int index, string body)
    {
        try
        {
            await _node.CallAsync(new JsonObject { ["call"] = "ack", ["index"] = index });
            group.Confirm(body);
        }
        catch (Exception e) when (e is IOException or TimeoutException)
        {
            // It comes again.
        }
    }
}
