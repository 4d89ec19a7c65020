using System.Runtime.CompilerServices;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.NameServer;

/// <summary>The requests that are answered, and how many of each have come.</summary>
internal sealed class CountedRequests
{
    private readonly Dictionary<RequestCode, StrongBox<long>> _counters = [];

    public RequestTable Table { get; } = new();

    /// <summary>By code, those that nobody has asked included.</summary>
    public IEnumerable<(RequestCode Code, long Count)> Counts =>
        _counters.Select(pair => (pair.Key, Volatile.Read(ref pair.Value.Value)));

    /// <inheritdoc cref="RequestTable.On{THeader}(RequestCode, Func{RemotingRequest, THeader, ValueTask})"/>
    public CountedRequests On<THeader>(RequestCode code, Func<RemotingRequest, THeader, ValueTask> handle)
        where THeader : ICommandHeader<THeader>
    {
        Table.On(code, Counted(code, handle));
        return this;
    }

    /// <inheritdoc cref="RequestTable.OnPool{THeader}"/>
    public CountedRequests OnPool<THeader>(RequestCode code, Func<RemotingRequest, THeader, ValueTask> handle)
        where THeader : ICommandHeader<THeader>
    {
        Table.OnPool(code, Counted(code, handle));
        return this;
    }

    private Func<RemotingRequest, THeader, ValueTask> Counted<THeader>(
        RequestCode code, Func<RemotingRequest, THeader, ValueTask> handle)
    {
        var counter = new StrongBox<long>();
        _counters.Add(code, counter);
        return (request, header) =>
        {
            Interlocked.Increment(ref counter.Value);
            return handle(request, header);
        };
    }
}
