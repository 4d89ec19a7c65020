using System.Text.Json.Nodes;

namespace GrayMQ.Chaos.Rolling.Npm;

/// <summary>Pulls by the npm package ali-ons, an independent client of the remoting protocol.</summary>
/// <param name="script">Where it is installed.</param>
internal sealed class AliOnsConsumer(LoadSettings settings, string script, GroupRecord group) : ILoad
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private NodeScript? _node;

    public Task StartAsync()
    {
        var told = new JsonObject
        {
            // It takes one address.
            ["nameServer"] = settings.NameServers[^1],
            ["group"] = group.Name,
            ["subscriptions"] = new JsonArray(new JsonObject { ["topic"] = group.Topic, ["expression"] = "*" }),
        };
        _node = new NodeScript(script, Hear, "consumer", told.ToJsonString());
        return _ready.Task.WaitAsync(Limit);
    }

    public async Task StopAsync()
    {
        await _node!.TellAsync(new JsonObject { ["close"] = true });
        await _closed.Task.WaitAsync(Limit);
    }

    public ValueTask DisposeAsync() => _node?.DisposeAsync() ?? ValueTask.CompletedTask;

    private void Hear(JsonNode line)
    {
        switch (line["event"]!.GetValue<string>())
        {
            case "ready":
                _ready.TrySetResult();
                break;
            case "closed":
                _closed.TrySetResult();
                break;
            case "message":
                group.Receive(line["body"]!.GetValue<string>());
                break;
            default:
                // Errors of connections, which it tries again.
                break;
        }
    }
}
