-- Figures ready to read for people who query the file by hand; parts of a night are added up.

CREATE VIEW night_figures AS
SELECT night,
       SUM(conversations) AS conversations,
       SUM(agent_conversations) AS agent_conversations,
       ROUND(SUM(score_sum) / 1000.0 / NULLIF(SUM(agent_conversations), 0), 2) AS mean_score,
       ROUND(1.0 * SUM(passed) / NULLIF(SUM(agent_conversations), 0), 4) AS pass_rate,
       SUM(critical) AS critical
FROM nights GROUP BY night;

CREATE VIEW agent_figures AS
SELECT night, agent, MIN(name) AS name, MIN(team) AS team,
       SUM(conversations) AS conversations,
       ROUND(SUM(score_sum) / 1000.0 / NULLIF(SUM(conversations), 0), 2) AS mean_score,
       ROUND(1.0 * SUM(passed) / NULLIF(SUM(conversations), 0), 4) AS pass_rate,
       SUM(critical) AS critical
FROM agents GROUP BY night, agent;

CREATE VIEW rule_figures AS
SELECT night, rule,
       SUM(applicable) AS applicable,
       SUM(found) AS found,
       ROUND(1.0 * SUM(found) / NULLIF(SUM(applicable), 0), 4) AS rate,
       SUM(findings) AS findings,
       SUM(points) / 1000.0 AS points
FROM agent_rules GROUP BY night, rule;
