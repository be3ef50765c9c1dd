"""The example of a lottery ticket runs."""

from examples import lottery_ticket


def test_lottery_ticket_on_digits(capsys):
    report = lottery_ticket.run(rounds=1, epochs=2)
    masks = [mask.mean() for mask in report.masks.values()]
    assert [round(float(density), 3) for density in masks] == [0.8, 0.8, 0.9]
    assert report.rounds[1].evaluation["accuracy"] > 0.5
    assert set(report.rounds[1].controls) == {"random_reinit"}
    assert capsys.readouterr().out == "round 0\nround 1\nround 1\n"
