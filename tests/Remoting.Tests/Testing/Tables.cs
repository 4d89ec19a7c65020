using System.Buffers;
using System.Collections.Concurrent;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Remoting.Tests.Testing;

/// <summary>Request codes with simple answers.</summary>
internal static class Tables
{
    /// <summary>Answers with the number and body that came.</summary>
    public const RequestCode Echo = RequestCode.SendMessage;

    /// <summary>The same, on the thread pool.</summary>
    public const RequestCode PoolEcho = RequestCode.QueryMessage;

    /// <summary>Waits for the test to answer.</summary>
    public const RequestCode Park = RequestCode.PullMessage;

    public static RequestTable Echoing() => new RequestTable()
        .On<TestHeader>(Echo, EchoAsync)
        .OnPool<TestHeader>(PoolEcho, EchoAsync);

    public static RequestTable Parking(ConcurrentQueue<Responder> parked) => Echoing().On<TestHeader>(Park, (request, header) =>
    {
        parked.Enqueue(request.Responder);
        return ValueTask.CompletedTask;
    });

    private static ValueTask EchoAsync(RemotingRequest request, TestHeader header)
    {
        request.Responder.Reply(ResponseCode.Success, null, in header, new MemoryBody(request.Body.ToArray()));
        return ValueTask.CompletedTask;
    }
}
