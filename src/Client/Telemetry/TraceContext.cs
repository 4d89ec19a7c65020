using System.Diagnostics;
using GrayMQ.Protocol.Messages;

namespace GrayMQ.Client.Telemetry;

/// <summary>
/// How a trace goes on from who sends a message to who handles it: in the message's properties, as W3C Trace Context has it in headers of
/// the same names.
/// </summary>
internal static class TraceContext
{
    public const string Parent = "traceparent";
    public const string State = "tracestate";

    /// <summary>The span under which a message is sent now; null where nobody asked for one.</summary>
    public static Activity? OfSending => Activity.Current is { IdFormat: ActivityIdFormat.W3C } span && span.Source == ClientTelemetry.Source
        ? span
        : null;

    /// <summary>The span under which a message was sent.</summary>
    public static bool TryRead(ReceivedMessage message, out ActivityContext context) => ActivityContext.TryParse(
        message.Properties.GetValueOrDefault(Parent), message.Properties.GetValueOrDefault(State), isRemote: true, out context);
}
