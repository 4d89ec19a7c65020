using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace GrayMQ.Chaos.Rolling.Npm;

/// <summary>A client of rocketmq-client-nodejs, which speaks gRPC: calls in, results out.</summary>
internal sealed class GrpcScript : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly NodeScript _node;
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonNode?>> _calls = new();
    private int _lastCall;

    public GrpcScript(string script) => _node = new NodeScript(script, Hear);

    /// <exception cref="IOException">The library threw; the message is its.</exception>
    /// <exception cref="TimeoutException">It does not answer.</exception>
    public async Task<JsonNode?> CallAsync(JsonObject call)
    {
        int id = Interlocked.Increment(ref _lastCall);
        var answered = new TaskCompletionSource<JsonNode?>(TaskCreationOptions.RunContinuationsAsynchronously);
        _calls[id] = answered;
        call["id"] = id;
        await _node.TellAsync(call);
        return await answered.Task.WaitAsync(Limit);
    }

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    private void Hear(JsonNode line)
    {
        if (!_calls.TryRemove(line["id"]!.GetValue<int>(), out TaskCompletionSource<JsonNode?>? call))
        {
            return;
        }

        if (line["error"] is { } error)
        {
            call.TrySetException(new IOException($"{error.GetValue<string>()} {_node.Errors}"));
        }
        else
        {
            call.TrySetResult(line["result"]);
        }
    }
}
