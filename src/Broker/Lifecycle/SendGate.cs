using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Broker.Lifecycle;

/// <summary>Every send that a client asks for passes here: it is noted, and refused where the broker has left its topic.</summary>
internal sealed class SendGate(
    BrokerLifecycle lifecycle, RouteView view, SendActivity sends, ProbeSends probes, string brokerAddress)
{
    /// <summary>Whether producers are to be told to go elsewhere.</summary>
    public bool IsLeaving => lifecycle.IsLeaving;

    /// <exception cref="RemotingException">The broker leaves, and others take messages of the topic (SERVICE_NOT_AVAILABLE).</exception>
    public void Enter(in RemotingRequest request, Topic topic)
    {
        if (lifecycle.RefusesSends && view.Moved.Contains(topic.Name))
        {
            throw new RemotingException(ResponseCode.ServiceNotAvailable, $"the broker[{brokerAddress}] is leaving: send to another one");
        }

        if (!probes.Contains(request.Code, topic))
        {
            sends.Note(request.Connection, topic);
        }
    }
}
