using GrayMQ.Broker.Topics;
using GrayMQ.Protocol.Commands;
using GrayMQ.Remoting.Dispatch;

namespace GrayMQ.Broker.Lifecycle;

/// <summary>Every send that a client asks for passes here: it is noted, and refused where the broker has left its topic.</summary>
internal sealed class SendGate(
    BrokerLifecycle lifecycle,
    Departure departure,
    RouteView view,
    SendActivity sends,
    ProbeSends probes,
    string brokerAddress,
    TimeProvider time)
{
    /// <summary>Whether producers are to be told to go elsewhere.</summary>
    public bool IsLeaving => lifecycle.IsLeaving;

    /// <summary>What a producer is told that is to send elsewhere.</summary>
    public string Refusal => $"the broker[{brokerAddress}] is leaving: send to another one";

    /// <summary>
    /// Whether whoever sends to the topic ought to have gone elsewhere by now: the routes have said so for as long as a producer that looks
    /// needs to see it. Its sends are taken all the same.
    /// </summary>
    public bool IsLeftBehind(string topic) =>
        lifecycle.IsLeaving && time.GetTimestamp() >= departure.OughtToKnowSince && view.Moved.Contains(topic);

    /// <exception cref="RemotingException">
    /// The broker leaves, and others take messages of the topic, or it does not come back (SERVICE_NOT_AVAILABLE).
    /// </exception>
    public void Enter(in RemotingRequest request, Topic topic)
    {
        if (lifecycle.RefusesAllSends || (lifecycle.RefusesSends && view.Moved.Contains(topic.Name)))
        {
            throw new RemotingException(ResponseCode.ServiceNotAvailable, Refusal);
        }

        if (!probes.Contains(request.Code, topic))
        {
            sends.Note(request.Connection, topic);
        }
    }
}
