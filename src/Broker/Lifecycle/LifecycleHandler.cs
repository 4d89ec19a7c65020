using GrayMQ.Protocol.Bodies;
using GrayMQ.Protocol.Commands;
using GrayMQ.Protocol.Headers.Broker;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Broker.Lifecycle;

/// <summary>
/// Has the broker leave or stay, and tells how far it is: DRAIN_BROKER (30210), UNDRAIN_BROKER (30211), SHOW_LIFECYCLE (30212), which are
/// this project's own. All are answered with the report, at once.
/// </summary>
internal sealed class LifecycleHandler(Departure departure, LifecycleReporter reporter)
{
    private const int MaxParallel = 1000;

    public async ValueTask DrainAsync(RemotingRequest request, DrainBrokerHeader header)
    {
        if (header.Parallel is < 1 or > MaxParallel)
        {
            throw new RemotingException(ResponseCode.InvalidParameter, $"parallel is {header.Parallel}: expected 1 to {MaxParallel}");
        }

        try
        {
            await departure
                .AskAsync(new DrainRequest(PeerOf(request), header.ScaleIn, header.Abandon, header.Parallel))
                .ConfigureAwait(false);
        }
        catch (InvalidOperationException e)
        {
            throw new RemotingException(ResponseCode.SystemError, e.Message);
        }

        Reply(request);
    }

    public async ValueTask UndrainAsync(RemotingRequest request, NoHeader header)
    {
        try
        {
            await departure.TakeBackAsync(PeerOf(request)).ConfigureAwait(false);
        }
        catch (InvalidOperationException e)
        {
            throw new RemotingException(ResponseCode.SystemError, e.Message);
        }

        Reply(request);
    }

    public ValueTask ShowAsync(RemotingRequest request, NoHeader header)
    {
        Reply(request);
        return ValueTask.CompletedTask;
    }

    private void Reply(RemotingRequest request) => request.Reply(BodyCodec.Encode(reporter.Report()));

    private static string PeerOf(RemotingRequest request) => request.Connection.RemoteEndPoint?.ToString() ?? "a client";
}
