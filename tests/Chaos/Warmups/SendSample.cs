namespace GrayMQ.Chaos.Warmups;

/// <summary>A send that was answered.</summary>
/// <param name="Broker">Its name.</param>
/// <param name="Begun">As <see cref="System.Diagnostics.Stopwatch.GetTimestamp"/> counts.</param>
/// <param name="Took">From the request to the answer.</param>
internal readonly record struct SendSample(string Broker, long Begun, TimeSpan Took);
