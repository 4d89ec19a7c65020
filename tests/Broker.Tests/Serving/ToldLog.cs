using System.Collections.Concurrent;

namespace GrayMQ.Broker.Serving;

/// <summary>Keeps what a broker logs.</summary>
internal sealed class ToldLog : EventLog
{
    private readonly ConcurrentQueue<(string Event, string Text)> _lines = new();

    /// <summary>The lines of an event, by its name.</summary>
    public IReadOnlyList<string> Of(string name) => [.. _lines.Where(line => line.Event == name).Select(line => line.Text)];

    protected override void OnEvent(string name, string text) => _lines.Enqueue((name, text));
}
